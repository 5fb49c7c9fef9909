package dev.nola.client.oci;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An index of the OCI image specification: a list of manifests.
 *
 * @param schemaVersion always 2
 * @param mediaType always {@value #MEDIA_TYPE}
 * @param manifests descriptors of the manifests, as JSON: artifacts of other kinds may have digests
 *     other than SHA-256
 */
record OciIndex(@Nullable Integer schemaVersion, String mediaType, List<JsonNode> manifests) {
  static final String MEDIA_TYPE = "application/vnd.oci.image.index.v1+json";

  /**
   * Copies the list.
   *
   * @throws NullPointerException if it is missing
   * @throws IllegalArgumentException if the version is missing or not 2
   */
  OciIndex {
    OciJson.requireVersion(schemaVersion);
    manifests = List.copyOf(Objects.requireNonNull(manifests, "the index has no manifests"));
  }

  static OciIndex of(List<JsonNode> manifests) {
    return new OciIndex(OciJson.VERSION, MEDIA_TYPE, manifests);
  }
}
