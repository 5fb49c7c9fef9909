package dev.nola.client.merge;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a model's config states about input and output embeddings.
 *
 * @param stated the setting of the model, or else of the language model within it; null if neither
 *     is stated
 * @param hasOutput whether the model's class may have an output embedding
 */
record TiedEmbeddings(@Nullable Boolean stated, boolean hasOutput) {
  /** Classes of bare transformers and of classifiers, which have no output embedding. */
  private static final Pattern WITHOUT_OUTPUT =
      Pattern.compile(
          "(?!.*(LMHead|DoubleHeads|EncoderDecoder)).*(Model|Classification|QuestionAnswering|MultipleChoice)");

  private static final String TIED = "tie_word_embeddings";
  private static final String TEXT = "text_config";

  /**
   * Reads a model's config; without one, nothing is stated.
   *
   * @throws InvalidModelException if it is not a JSON object
   */
  static TiedEmbeddings of(Model model) throws InvalidModelException {
    ObjectNode config = model.config();
    if (config == null) {
      return new TiedEmbeddings(null, true);
    }
    JsonNode whole = config.path(TIED);
    JsonNode tied = whole.isBoolean() ? whole : config.path(TEXT).path(TIED);
    String className = config.path("architectures").path(0).asString("");
    return new TiedEmbeddings(
        tied.isBoolean() ? tied.asBoolean() : null, !WITHOUT_OUTPUT.matcher(className).matches());
  }

  /** Returns whether the embeddings may be tied: they are, or nothing is stated. */
  boolean isPossible() {
    return stated == null || stated;
  }

  /** Returns whether the config states that the embeddings are tied. */
  boolean isCertain() {
    return stated != null && stated;
  }

  /** Writes into a config, and those within it that state it, that the embeddings are not tied. */
  static void untie(ObjectNode config) {
    config.put(TIED, false);
    config
        .properties()
        .forEach(
            entry -> {
              if (entry.getValue() instanceof ObjectNode within
                  && (within.has(TIED) || entry.getKey().equals(TEXT))) {
                within.put(TIED, false);
              }
            });
  }
}
