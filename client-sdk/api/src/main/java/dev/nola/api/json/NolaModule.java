package dev.nola.api.json;

import dev.nola.digest.Sha256;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.ToStringSerializer;

/** Writes digests as their text, and reads them from it. Every mapper of api records needs it. */
public final class NolaModule extends SimpleModule {
  private static final long serialVersionUID = 1;

  private static final JsonMapper MAPPER = JsonMapper.builder().addModule(new NolaModule()).build();

  /** Makes a module; one serves any number of mappers. */
  public NolaModule() {
    super("nola-api");
    addSerializer(Sha256.class, ToStringSerializer.instance);
    addDeserializer(Sha256.class, new DigestDeserializer());
  }

  /**
   * Returns a mapper that has this module and Jackson's defaults.
   *
   * @return a mapper that everyone may share
   */
  public static JsonMapper mapper() {
    return MAPPER;
  }

  private static final class DigestDeserializer extends StdScalarDeserializer<Sha256> {
    DigestDeserializer() {
      super(Sha256.class);
    }

    @Override
    public Sha256 deserialize(JsonParser parser, DeserializationContext context) {
      if (!parser.currentToken().isScalarValue()) {
        return (Sha256) context.handleUnexpectedToken(Sha256.class, parser);
      }
      String text = parser.getString();
      try {
        return Sha256.parse(text);
      } catch (IllegalArgumentException e) {
        throw context.weirdStringException(text, Sha256.class, String.valueOf(e.getMessage()));
      }
    }
  }
}
