package dev.nola.client.oci;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.digest.Sha256;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A descriptor of the OCI image specification: a reference to content.
 *
 * @param mediaType the content's type
 * @param digest SHA-256 of the content
 * @param size of the content in bytes
 * @param artifactType in an index, the type of a manifest's artifact; null if it does not apply
 * @param annotations by name
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record OciDescriptor(
    String mediaType,
    Sha256 digest,
    long size,
    @Nullable String artifactType,
    Map<String, String> annotations) {
  /**
   * Sorts the annotations, so that equal descriptors have equal bytes.
   *
   * @throws NullPointerException if a required property is missing
   */
  OciDescriptor {
    Objects.requireNonNull(mediaType, "a descriptor has no mediaType");
    Objects.requireNonNull(digest, "a descriptor has no digest");
    annotations = annotations == null ? Map.of() : new TreeMap<>(annotations);
  }

  static OciDescriptor of(String mediaType, byte[] content) {
    return new OciDescriptor(mediaType, Sha256.hash(content), content.length, null, Map.of());
  }

  String annotation(String name) {
    return Objects.requireNonNullElse(annotations.get(name), "");
  }
}
