package dev.nola.api.attestation;

import dev.nola.api.name.NameRule;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Rules that a reconstruction must meet, independent of its file. */
final class ReconstructionRules {
  private static final Pattern BITS = Pattern.compile("[0-9a-f]{8}");
  private static final int MAX_TEXT = 200;
  private static final int MAX_ENVIRONMENT = 20;

  private ReconstructionRules() {}

  /**
   * Requires that all rules are met.
   *
   * @param reconstruction to check
   * @throws IllegalArgumentException if it breaks a rule
   */
  static void require(Reconstruction reconstruction) {
    requirePresent("outcome", reconstruction.outcome());
    requirePresent("backend", reconstruction.backend());
    NameRule.BACKEND.require(reconstruction.backend());
    requirePresent("root", reconstruction.root());
    requirePresent("nonce", reconstruction.nonce());
    requirePresent("proof", reconstruction.proof());
    requirePresent("host", reconstruction.host());
    requireText("worker", reconstruction.worker());
    if (reconstruction.environment().size() > MAX_ENVIRONMENT) {
      throw new IllegalArgumentException(
          "environment has %d entries; the limit is %d"
              .formatted(reconstruction.environment().size(), MAX_ENVIRONMENT));
    }
    reconstruction
        .environment()
        .forEach(
            (name, value) -> {
              requireText("environment", name);
              requireText("environment." + name, value);
            });
    Difference difference = reconstruction.difference();
    if (difference != null) {
      require(difference, reconstruction.outcome());
    }
  }

  private static void require(Difference difference, Outcome outcome) {
    if (outcome == Outcome.MATCH) {
      throw new IllegalArgumentException("outcome is match, but a difference is set");
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
          "difference expected=%s actual=%s; must be 8 hex digits each, and differ"
              .formatted(difference.expected(), difference.actual()));
    }
  }

  private static void requirePresent(String field, @Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException(field + " is missing");
    }
  }

  private static void requireText(String field, @Nullable String value) {
    if (value == null || value.isEmpty() || value.length() > MAX_TEXT) {
      throw new IllegalArgumentException(
          "%s has %d characters; must have 1 to %d"
              .formatted(field, value == null ? 0 : value.length(), MAX_TEXT));
    }
    if (value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(field + " must not contain a control character");
    }
  }
}
