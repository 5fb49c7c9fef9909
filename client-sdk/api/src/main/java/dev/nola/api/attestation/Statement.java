package dev.nola.api.attestation;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.api.name.NameRule;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Limits;
import dev.nola.reconstruct.ReconstructionDigest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * An in-toto Statement v1 about an adapter file.
 *
 * @param subject SHA-256 of the file
 * @param reconstruction what a machine reconstructed
 */
public record Statement(Sha256 subject, Reconstruction reconstruction) {
  /** Type of an envelope's payload. */
  public static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";

  /** Type of a statement's predicate. */
  public static final String PREDICATE_TYPE = "urn:nola:predicate:reconstruction:v1";

  private static final String TYPE = "https://in-toto.io/Statement/v1";
  private static final String SUBJECT_NAME = "adapter.nola";
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern BITS = Pattern.compile("[0-9a-f]{8}");
  private static final int MAX_TEXT = 200;
  private static final int MAX_ENVIRONMENT = 20;

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

  /** A statement in in-toto's form. */
  @JsonPropertyOrder({"_type", "subject", "predicateType", "predicate"})
  private record Wire(
      @JsonProperty("_type") @Nullable String type,
      @Nullable List<Subject> subject,
      @Nullable String predicateType,
      @Nullable Reconstruction predicate) {}

  @JsonPropertyOrder({"name", "digest"})
  private record Subject(@Nullable String name, @Nullable Map<String, String> digest) {}

  /**
   * Checks the reconstruction.
   *
   * @throws IllegalArgumentException if a value breaks a rule of {@link Reconstruction}
   */
  public Statement {
    require(reconstruction);
  }

  /**
   * Writes the statement as JSON; equal statements give equal bytes.
   *
   * @return JSON in UTF-8
   */
  public byte[] toJson() {
    return JSON.writeValueAsBytes(
        new Wire(
            TYPE,
            List.of(new Subject(SUBJECT_NAME, Map.of("sha256", subject.hex()))),
            PREDICATE_TYPE,
            reconstruction));
  }

  /**
   * Parses a statement.
   *
   * @param json JSON in UTF-8
   * @return the statement
   * @throws InvalidAttestationException if it is anything else than a statement of this kind
   */
  public static Statement parse(byte[] json) throws InvalidAttestationException {
    Wire wire;
    try {
      wire = JSON.readValue(json, Wire.class);
    } catch (JacksonException e) {
      throw invalid("the statement is not valid JSON of this type: " + e.getOriginalMessage());
    }
    if (wire == null) {
      throw invalid("the statement is null");
    }
    requireEqual("_type", TYPE, wire.type);
    requireEqual("predicateType", PREDICATE_TYPE, wire.predicateType);
    if (wire.subject == null
        || wire.subject.size() != 1
        || wire.subject.getFirst() == null
        || wire.subject.getFirst().digest == null
        || !wire.subject.getFirst().digest.keySet().equals(Set.of("sha256"))) {
      throw invalid("invalid subject: " + wire.subject + "; must be one file with its sha256");
    }
    Reconstruction predicate = wire.predicate;
    if (predicate == null) {
      throw invalid("the statement has no predicate");
    }
    try {
      String digest = wire.subject.getFirst().digest.get("sha256");
      requireDigest("subject", digest);
      return new Statement(Sha256.parse("sha256:" + digest), predicate);
    } catch (IllegalArgumentException e) {
      throw invalid(String.valueOf(e.getMessage()));
    }
  }

  /**
   * Checks that the statement is about this file and that its digests fit the file and its outcome:
   * one leaf for each layer and dense tensor, which give the root; the file's root if it matches,
   * another if it does not, and then a difference, if it names one, within the file.
   *
   * @param digest digest of the file
   * @param file the file
   * @throws InvalidAttestationException if the statement is about another file or does not fit it
   */
  public void requireAbout(Sha256 digest, AdapterFile file) throws InvalidAttestationException {
    if (!subject.equals(digest)) {
      throw new InvalidAttestationException(
          Reason.WRONG_SUBJECT, "the statement is about %s, not %s".formatted(subject, digest));
    }
    Adapter adapter = file.adapter();
    int layers = adapter.layers().size();
    int leaves = layers + adapter.dense().size();
    if (reconstruction.leaves().size() != leaves) {
      throw wrongRoot(
          "the statement has %d leaves, but the file has %d"
              .formatted(reconstruction.leaves().size(), leaves));
    }
    List<Sha256> digests =
        reconstruction.leaves().stream().map(leaf -> Sha256.parse("sha256:" + leaf)).toList();
    String root =
        ReconstructionDigest.of(digests.subList(0, layers), digests.subList(layers, leaves))
            .root()
            .hex();
    if (!root.equals(reconstruction.root())) {
      throw wrongRoot(
          "wrong root: %s; its leaves hash to %s".formatted(reconstruction.root(), root));
    }
    boolean isFiles = root.equals(file.reconstructionDigest().hex());
    if (isFiles != (reconstruction.outcome() == Outcome.MATCH)) {
      throw wrongRoot(
          "the outcome is %s, but the root is %s and the file has %s"
              .formatted(
                  reconstruction.outcome().name().toLowerCase(),
                  root,
                  file.reconstructionDigest().hex()));
    }
    Difference difference = reconstruction.difference();
    if (difference != null && !isWithin(adapter, difference)) {
      throw invalid(
          "invalid difference: element %d of factor %s of tensor %s; must exist in the file"
              .formatted(difference.index(), difference.side(), difference.tensor()));
    }
  }

  /**
   * Checks that the author of the statement reconstructed the file. Only for a match: bits that
   * differ cannot be recomputed elsewhere.
   *
   * @param proof made from the file with this statement's nonce
   * @throws InvalidAttestationException if the author did not
   */
  public void requireProof(Proof proof) throws InvalidAttestationException {
    List<String> leaves = proof.leaves();
    for (int i = 0; i < leaves.size(); i++) {
      if (!leaves.get(i).equals(reconstruction.leaves().get(i))) {
        throw wrongRoot(
            "leaf %d is %s; must be %s"
                .formatted(i, reconstruction.leaves().get(i), leaves.get(i)));
      }
    }
    if (!proof.proof().hex().equals(reconstruction.proof())) {
      throw new InvalidAttestationException(
          Reason.WRONG_PROOF,
          "wrong proof: %s; it is not the digest of nonce %s and the factors, so it was copied or made from something else"
              .formatted(reconstruction.proof(), reconstruction.nonce()));
    }
  }

  private static boolean isWithin(Adapter adapter, Difference difference) {
    return adapter.layers().stream()
        .filter(layer -> layer.tensor().equals(difference.tensor()))
        .anyMatch(layer -> difference.index() < elements(layer, difference.side()));
  }

  private static long elements(Layer layer, String side) {
    long rank =
        switch (layer.coefficients()) {
          case Direct _ -> side.equals("A") ? layer.cols() : 0;
          case LowRank lowRank -> lowRank.rank();
        };
    return rank * (side.equals("A") ? layer.rows() : layer.cols());
  }

  private static void require(Reconstruction it) {
    requirePresent("outcome", it.outcome());
    requirePresent("backend", it.backend());
    NameRule.BACKEND.require(it.backend());
    requireDigest("root", it.root());
    requireDigest("nonce", it.nonce());
    requireDigest("proof", it.proof());
    requireDigest("host", it.host());
    it.leaves().forEach(leaf -> requireDigest("leaf", leaf));
    requireText("worker", it.worker());
    if (it.environment().size() > MAX_ENVIRONMENT) {
      throw new IllegalArgumentException(
          "environment has %d entries; limit is %d"
              .formatted(it.environment().size(), MAX_ENVIRONMENT));
    }
    it.environment()
        .forEach(
            (name, value) -> {
              requireText("environment", name);
              requireText("environment." + name, value);
            });
    Difference difference = it.difference();
    if (difference != null) {
      require(difference, it.outcome());
    }
  }

  private static void require(Difference difference, Outcome outcome) {
    if (outcome == Outcome.MATCH) {
      throw new IllegalArgumentException("difference given for a match; only a mismatch has one");
    }
    requirePresent("difference.tensor", difference.tensor());
    requirePresent("difference.side", difference.side());
    requirePresent("difference.expected", difference.expected());
    requirePresent("difference.actual", difference.actual());
    if (!difference.side().equals("A") && !difference.side().equals("B")) {
      throw new IllegalArgumentException(
          "invalid difference.side: " + difference.side() + "; must be A or B");
    }
    if (difference.index() < 0) {
      throw new IllegalArgumentException(
          "invalid difference.index: " + difference.index() + "; must be at least 0");
    }
    if (!BITS.matcher(difference.expected()).matches()
        || !BITS.matcher(difference.actual()).matches()
        || difference.expected().equals(difference.actual())) {
      throw new IllegalArgumentException(
          "invalid difference: expected=%s actual=%s; both must be 8 hex digits, and differ"
              .formatted(difference.expected(), difference.actual()));
    }
  }

  private static void requirePresent(String field, @Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException(field + " is missing");
    }
  }

  private static void requireDigest(String field, @Nullable String value) {
    if (value == null || !DIGEST.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "invalid %s: %s; must be 64 lower-case hex digits".formatted(field, value));
    }
  }

  private static void requireText(String field, @Nullable String value) {
    if (value == null || value.isEmpty() || value.length() > MAX_TEXT) {
      throw new IllegalArgumentException(
          "%s has %d characters; must have 1 to %d"
              .formatted(field, value == null ? 0 : value.length(), MAX_TEXT));
    }
    if (value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          field + " contains a control character; must not contain any");
    }
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

  private static InvalidAttestationException wrongRoot(String message) {
    return new InvalidAttestationException(Reason.WRONG_ROOT, message);
  }
}
