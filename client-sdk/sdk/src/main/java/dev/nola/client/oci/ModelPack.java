package dev.nola.client.oci;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.client.http.RegistryText;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** An adapter as a ModelPack artifact, the CNCF's specification of models in OCI registries. */
final class ModelPack {
  static final String ARTIFACT = "application/vnd.cncf.model.manifest.v1+json";
  static final String CONFIG = "application/vnd.cncf.model.config.v1+json";
  static final String WEIGHT = "application/vnd.cncf.model.weight.v1.raw";

  private static final String FILE_PATH = "org.cncf.model.filepath";

  /** The name under which oras saves a layer. */
  private static final String TITLE = "org.opencontainers.image.title";

  private static final Set<String> ADAPTERS = Set.of(WEIGHT, AdapterFile.MEDIA_TYPE);

  private ModelPack() {}

  /** The config, whose properties are in the specification's order. */
  private record Config(About descriptor, Technical config, Files modelfs) {}

  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private record About(String name, String version, String description, List<String> licenses) {}

  private record Technical(String format) {}

  private record Files(String type, List<String> diffIds) {}

  /**
   * Writes the config of an adapter. It states no creation time, so that pushing an adapter again
   * results in the same digest.
   *
   * @param origin the names that the config states
   * @param file the adapter
   * @param digest SHA-256 of the file
   */
  static byte[] config(OciOrigin origin, AdapterFile file, Sha256 digest) {
    Metadata metadata = file.adapter().metadata();
    return OciJson.write(
        new Config(
            new About(
                origin.name(),
                origin.version(),
                metadata.description(),
                metadata.license().isEmpty() ? List.of() : List.of(metadata.license())),
            new Technical("nola"),
            new Files("layers", List.of(digest.toString()))));
  }

  /** Describes the layer with the adapter's file. */
  static OciDescriptor layer(OciOrigin origin, Sha256 digest, long size) {
    return new OciDescriptor(
        WEIGHT, digest, size, null, Map.of(FILE_PATH, origin.fileName(), TITLE, origin.fileName()));
  }

  /**
   * Finds the layer with the adapter's file, also in what other clients pushed.
   *
   * @throws NotAnAdapterException if the artifact is not one adapter
   */
  static OciDescriptor adapter(OciReference reference, OciManifest manifest)
      throws NotAnAdapterException {
    List<OciDescriptor> adapters = manifest.layers().stream().filter(ModelPack::isAdapter).toList();
    if (adapters.size() == 1) {
      return adapters.getFirst();
    }
    throw notAnAdapter(
        reference,
        "artifact type %s with %d adapters among its layers"
            .formatted(RegistryText.printable(manifest.type()), adapters.size()));
  }

  private static boolean isAdapter(OciDescriptor layer) {
    String path = layer.annotation(FILE_PATH);
    String name = path.isEmpty() ? layer.annotation(TITLE) : path;
    return ADAPTERS.contains(layer.mediaType())
        && (name.isEmpty() || name.endsWith(AdapterFile.EXTENSION));
  }

  /** Makes the refusal of an artifact that is not an adapter. */
  static NotAnAdapterException notAnAdapter(OciReference reference, String content) {
    return new NotAnAdapterException(
        "%s is not an adapter: %s; must have one layer of type %s, named *%s if it has a name"
            .formatted(reference, content, WEIGHT, AdapterFile.EXTENSION));
  }
}
