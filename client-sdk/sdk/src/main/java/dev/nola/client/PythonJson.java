package dev.nola.client;

import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads and writes JSON as Python's json module does, which Transformers uses for configs: NaN,
 * Infinity and -Infinity are numbers.
 */
public final class PythonJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  private PythonJson() {}

  /**
   * Returns the mapper.
   *
   * @return the mapper, which is shared
   */
  public static JsonMapper mapper() {
    return MAPPER;
  }
}
