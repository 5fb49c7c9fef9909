package dev.nola.client.oci;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A manifest of the OCI image specification. It has seven components because the JSON object has
 * seven properties.
 *
 * @param schemaVersion always 2
 * @param mediaType always {@value #MEDIA_TYPE}
 * @param artifactType the artifact's type; null if the config's media type states it
 * @param config describes the artifact
 * @param layers its content
 * @param subject the manifest that this artifact refers to; null if it refers to none
 * @param annotations by name
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record OciManifest(
    @Nullable Integer schemaVersion,
    String mediaType,
    @Nullable String artifactType,
    OciDescriptor config,
    List<OciDescriptor> layers,
    @Nullable OciDescriptor subject,
    Map<String, String> annotations) {
  static final String MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json";

  /**
   * Copies the collections.
   *
   * @throws NullPointerException if a required property is missing
   * @throws IllegalArgumentException if the version is missing or not 2
   */
  OciManifest {
    OciJson.requireVersion(schemaVersion);
    Objects.requireNonNull(config, "the manifest has no config");
    Objects.requireNonNull(layers, "the manifest has no layers")
        .forEach(layer -> Objects.requireNonNull(layer, "a layer of the manifest is null"));
    layers = List.copyOf(layers);
    annotations = annotations == null ? Map.of() : new TreeMap<>(annotations);
  }

  static OciManifest of(
      String artifactType,
      OciDescriptor config,
      OciDescriptor layer,
      @Nullable OciDescriptor subject,
      Map<String, String> annotations) {
    return new OciManifest(
        OciJson.VERSION, MEDIA_TYPE, artifactType, config, List.of(layer), subject, annotations);
  }

  /** Returns the artifact's type, which older clients state as that of the config. */
  String type() {
    return artifactType == null || artifactType.isEmpty() ? config.mediaType() : artifactType;
  }
}
