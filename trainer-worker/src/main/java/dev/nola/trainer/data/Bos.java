package dev.nola.trainer.data;

import dev.nola.format.Adapter;
import dev.nola.text.Label;
import java.util.Arrays;
import java.util.Map;

/** The tokens that a text of a language model begins with. */
public enum Bos {
  /** Exactly those that the tokenizer adds (the post-processor of {@code tokenizer.json}). */
  TOKENIZER,
  /** Those that the tokenizer adds, or else {@code bos_token_id} of {@code config.json}. */
  CONFIG,
  /** None. */
  NONE;

  /** Key in an adapter's provenance. */
  public static final String KEY = "bos";

  /** Key of the provenance of every adapter that was trained here. */
  private static final String TRAINER = "trainer";

  /**
   * Returns what the texts began with that an adapter was trained on.
   *
   * @param adapter the adapter
   * @return what it states; {@link #CONFIG} for adapters of versions that did not state it, and
   *     {@link #TOKENIZER} for adapters trained elsewhere
   */
  public static Bos of(Adapter adapter) {
    Map<String, String> provenance = adapter.metadata().provenance();
    String stated = provenance.get(KEY);
    return Arrays.stream(values())
        .filter(bos -> Label.of(bos).equals(stated))
        .findFirst()
        .orElse(provenance.containsKey(TRAINER) ? CONFIG : TOKENIZER);
  }
}
