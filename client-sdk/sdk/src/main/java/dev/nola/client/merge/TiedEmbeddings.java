package dev.nola.client.merge;

import dev.nola.client.JsonProblem;
import dev.nola.client.safetensors.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a model's config states about tied input and output embeddings.
 *
 * @param stated the setting of the model, or else of the language model within it; null if neither
 *     is stated
 */
record TiedEmbeddings(@Nullable Boolean stated) {
  private static final String TIED = "tie_word_embeddings";
  private static final String TEXT = "text_config";

  /**
   * Reads a model's config.
   *
   * @throws IOException if there is a config that is not a JSON object
   */
  static TiedEmbeddings of(Model model) throws IOException {
    Path config = model.path().resolve(MergedConfig.FILE);
    if (!model.isFolder() || !Files.isRegularFile(config)) {
      return new TiedEmbeddings(null);
    }
    try {
      JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(config));
      if (!root.isObject()) {
        throw new IOException(config + ": is not a JSON object");
      }
      JsonNode own = root.path(TIED);
      JsonNode tied = own.isBoolean() ? own : root.path(TEXT).path(TIED);
      return new TiedEmbeddings(tied.isBoolean() ? tied.asBoolean() : null);
    } catch (JacksonException e) {
      throw new IOException(config + ": is not valid JSON: " + JsonProblem.of(e), e);
    }
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
