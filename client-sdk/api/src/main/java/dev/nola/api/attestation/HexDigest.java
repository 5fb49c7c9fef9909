package dev.nola.api.attestation;

import dev.nola.digest.Sha256;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdScalarDeserializer;
import tools.jackson.databind.ser.std.StdScalarSerializer;

/** Writes and reads digests as statements have them: 64 lower-case hex digits, without a prefix. */
final class HexDigest {
  private HexDigest() {}

  /**
   * Parses the digits of a digest.
   *
   * @param hex 64 lower-case hex digits
   * @return the digest
   * @throws IllegalArgumentException if the text is anything else
   */
  static Sha256 parse(String hex) {
    return Sha256.parse("sha256:" + hex);
  }

  static final class Writer extends StdScalarSerializer<Sha256> {
    Writer() {
      super(Sha256.class);
    }

    @Override
    public void serialize(Sha256 digest, JsonGenerator generator, SerializationContext context) {
      generator.writeString(digest.hex());
    }
  }

  static final class Reader extends StdScalarDeserializer<Sha256> {
    Reader() {
      super(Sha256.class);
    }

    @Override
    public Sha256 deserialize(JsonParser parser, DeserializationContext context) {
      if (!parser.hasToken(JsonToken.VALUE_STRING)) {
        return (Sha256) context.handleUnexpectedToken(Sha256.class, parser);
      }
      String hex = parser.getString();
      try {
        return parse(hex);
      } catch (IllegalArgumentException _) {
        throw context.weirdStringException(hex, Sha256.class, "must be 64 lower-case hex digits");
      }
    }
  }
}
