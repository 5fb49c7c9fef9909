package dev.nola.client.peft;

import java.util.Optional;

/** What a classifier sees of a sequence: SPEC.md, section 4.1. */
public enum Pooling {
  /** The first token. */
  CLS("cls"),
  /** The mean over all tokens that are not padding; no class of Transformers computes it. */
  MEAN("mean"),
  /** The last token that is not padding. */
  LAST_TOKEN("last-token");

  private final String label;

  Pooling(String label) {
    this.label = label;
  }

  /**
   * Returns the name in job files and in the provenance of adapters.
   *
   * @return such as {@code last-token}
   */
  public String label() {
    return label;
  }

  /**
   * Finds a pooling by its name.
   *
   * @param label such as {@code last-token}
   * @return the pooling, or empty
   */
  public static Optional<Pooling> of(String label) {
    for (Pooling pooling : values()) {
      if (pooling.label.equals(label)) {
        return Optional.of(pooling);
      }
    }
    return Optional.empty();
  }
}
