package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.digest.Sha256;
import dev.nola.format.Limits;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.ValueInstantiationException;
import tools.jackson.databind.json.JsonMapper;

/** Writes statements as in-toto's JSON, and reads them strictly: one text for one statement. */
final class StatementJson {
  private static final String TYPE = "https://in-toto.io/Statement/v1";
  private static final String SUBJECT_NAME = "adapter.nola";

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(8)
                          .maxStringLength(Limits.NAME_BYTES * 4)
                          .build())
                  .build())
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

  private StatementJson() {}

  /** A statement in in-toto's form. */
  @JsonPropertyOrder({"_type", "subject", "predicateType", "predicate"})
  private record Wire(
      @JsonProperty("_type") @Nullable String type,
      @Nullable List<Subject> subject,
      @Nullable String predicateType,
      @Nullable Reconstruction predicate) {}

  @JsonPropertyOrder({"name", "digest"})
  private record Subject(@Nullable String name, @Nullable Map<String, String> digest) {}

  static byte[] write(Statement statement) {
    return JSON.writeValueAsBytes(
        new Wire(
            TYPE,
            List.of(new Subject(SUBJECT_NAME, Map.of("sha256", statement.subject().hex()))),
            Statement.PREDICATE_TYPE,
            statement.reconstruction()));
  }

  static Statement read(byte[] json) throws InvalidAttestationException {
    Wire wire;
    try {
      wire = JSON.readValue(json, Wire.class);
    } catch (JacksonException e) {
      throw invalid(describe(e));
    }
    if (wire == null) {
      throw invalid("the statement is null");
    }
    requireEqual("_type", TYPE, wire.type);
    requireEqual("predicateType", Statement.PREDICATE_TYPE, wire.predicateType);
    if (wire.subject == null
        || wire.subject.size() != 1
        || wire.subject.getFirst() == null
        || wire.subject.getFirst().digest == null
        || !wire.subject.getFirst().digest.keySet().equals(Set.of("sha256"))) {
      throw invalid("invalid subject: " + wire.subject + "; must be one file by its sha256");
    }
    Reconstruction predicate = wire.predicate;
    if (predicate == null) {
      throw invalid("the statement has no predicate");
    }
    try {
      String digest = wire.subject.getFirst().digest.get("sha256");
      if (digest == null) {
        throw invalid("subject is missing its sha256");
      }
      return new Statement(HexDigest.parse(digest), predicate);
    } catch (IllegalArgumentException e) {
      throw invalid(String.valueOf(e.getMessage()));
    }
  }

  /** Returns what is wrong with a statement, without the names of classes. */
  private static String describe(JacksonException failure) {
    return switch (failure) {
      case InvalidFormatException e when e.getTargetType() == Sha256.class ->
          "invalid %s: %s; must be 64 lower-case hex digits".formatted(field(e), e.getValue());
      case ValueInstantiationException e when e.getCause() instanceof IllegalArgumentException ->
          String.valueOf(e.getCause().getMessage());
      default -> "the statement is not valid JSON of this type: " + failure.getOriginalMessage();
    };
  }

  /** Returns the name of the innermost property that a failure is about. */
  private static String field(JacksonException failure) {
    return failure.getPath().stream()
        .map(JacksonException.Reference::getPropertyName)
        .filter(Objects::nonNull)
        .reduce((_, inner) -> inner)
        .orElse("digest");
  }

  private static void requireEqual(String field, String expected, @Nullable String actual)
      throws InvalidAttestationException {
    if (!expected.equals(actual)) {
      throw invalid("invalid %s: %s; must be %s".formatted(field, actual, expected));
    }
  }

  private static InvalidAttestationException invalid(String message) {
    return new InvalidAttestationException(Reason.INVALID_STATEMENT, message);
  }
}
