package dev.nola.client.oci;

import java.util.List;
import java.util.Objects;

/**
 * An index of the OCI image specification: a list of manifests.
 *
 * @param schemaVersion always 2
 * @param mediaType always {@value #MEDIA_TYPE}
 * @param manifests the manifests
 */
record OciIndex(int schemaVersion, String mediaType, List<OciDescriptor> manifests) {
  static final String MEDIA_TYPE = "application/vnd.oci.image.index.v1+json";

  /**
   * Copies the list.
   *
   * @throws NullPointerException if it is missing
   */
  OciIndex {
    manifests = List.copyOf(Objects.requireNonNull(manifests, "the index has no manifests"));
  }

  static OciIndex of(List<OciDescriptor> manifests) {
    return new OciIndex(2, MEDIA_TYPE, manifests);
  }
}
