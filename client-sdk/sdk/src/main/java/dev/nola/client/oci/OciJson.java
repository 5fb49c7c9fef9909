package dev.nola.client.oci;

import dev.nola.api.json.NolaModule;
import dev.nola.client.RegistryException;
import dev.nola.client.http.RegistryText;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes the JSON of registries; equal values have equal bytes. */
final class OciJson {
  private static final JsonMapper MAPPER = NolaModule.mapper();

  /** The version of manifests and indexes. */
  static final int VERSION = 2;

  private OciJson() {}

  /**
   * Checks the version of a manifest or an index.
   *
   * @throws IllegalArgumentException if it is missing or not 2
   */
  static void requireVersion(@Nullable Integer version) {
    if (version == null || version != VERSION) {
      throw new IllegalArgumentException(
          "invalid schemaVersion: %s; must be %d".formatted(version, VERSION));
    }
  }

  static JsonNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }

  static byte[] write(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }

  /**
   * Reads what a registry sent; unknown properties are ignored.
   *
   * @param name the name of the JSON in messages
   * @throws RegistryException if it is invalid
   */
  static <T> T read(byte[] json, Class<T> type, String name) throws RegistryException {
    String reason;
    try {
      T value = MAPPER.readValue(json, type);
      if (value != null) {
        return value;
      }
      reason = "it is null";
    } catch (JacksonException e) {
      Throwable rule = e.getCause() instanceof RuntimeException cause ? cause : e;
      reason = e.getCause() == rule ? String.valueOf(rule.getMessage()) : e.getOriginalMessage();
    }
    throw RegistryException.broken(
        "invalid JSON from the registry: %s; %s".formatted(name, RegistryText.printable(reason)));
  }
}
