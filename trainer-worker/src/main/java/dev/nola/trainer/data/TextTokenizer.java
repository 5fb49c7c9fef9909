package dev.nola.trainer.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The tokenizer of a model's folder ({@code tokenizer.json}), with what {@code config.json} says of
 * special tokens and of sizes.
 */
public final class TextTokenizer implements AutoCloseable {
  private final Path folder;
  private final HuggingFaceTokenizer tokenizer;
  private final JsonNode config;
  private final int[] before;
  private final int[] after;

  private TextTokenizer(Path folder, HuggingFaceTokenizer tokenizer, JsonNode config) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.config = config;
    Encoding encoding = tokenizer.encode("a", true, false);
    int[] ids = ints(encoding.getIds());
    long[] special = encoding.getSpecialTokenMask();
    int begin = 0;
    while (begin < ids.length && special[begin] == 1) {
      begin++;
    }
    int end = ids.length;
    while (end > begin && special[end - 1] == 1) {
      end--;
    }
    this.before = Arrays.copyOfRange(ids, 0, begin);
    this.after = Arrays.copyOfRange(ids, end, ids.length);
  }

  /**
   * Loads the tokenizer; nothing comes from the network.
   *
   * @throws IOException if a file cannot be read or is not sound
   */
  public static TextTokenizer load(Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Path configFile = folder.resolve("config.json");
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    JsonNode config;
    try {
      config = JsonMapper.shared().readTree(Files.readAllBytes(configFile));
    } catch (JacksonException e) {
      throw new InvalidDataException(configFile + ": invalid JSON: " + e.getOriginalMessage(), e);
    }
    // What tokenizer.json says of padding and truncation is for inference.
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      return new TextTokenizer(folder, HuggingFaceTokenizer.newInstance(file, options), config);
    } catch (RuntimeException e) {
      throw new InvalidDataException(file + ": invalid tokenizer: " + e.getMessage(), e);
    }
  }

  /** Tokens of a text alone, without special ones. Any number of threads may call it. */
  public int[] tokens(String text) {
    return ints(tokenizer.encode(text, false, false).getIds());
  }

  /** The text of tokens, without special ones. */
  public String text(int[] tokens) {
    return tokenizer.decode(Arrays.stream(tokens).asLongStream().toArray(), true);
  }

  /** Special tokens that the tokenizer puts before a text, such as [CLS]. */
  int[] before() {
    return before;
  }

  /** Special tokens that the tokenizer puts after a text, such as [SEP]. */
  int[] after() {
    return after;
  }

  /**
   * What a text begins with: the tokenizer's special tokens, else the model's BOS, if it has one.
   */
  public int[] begin() {
    JsonNode bos = config.path("bos_token_id");
    return before.length == 0 && bos.isInt() ? new int[] {bos.intValue()} : before;
  }

  /**
   * What a text ends with: the tokenizer's special tokens, else the model's EOS.
   *
   * @throws IOException if neither has any, so that no model can learn where to end
   */
  public int[] end() throws IOException {
    JsonNode eos = config.path("eos_token_id");
    JsonNode first = eos.isArray() ? eos.path(0) : eos; // the others end chat turns
    if (after.length > 0) {
      return after;
    }
    if (!first.isInt()) {
      throw new InvalidDataException(
          "%s: eos_token_id=%s, must be a token, as the tokenizer adds none"
              .formatted(folder.resolve("config.json"), eos));
    }
    return new int[] {first.intValue()};
  }

  /**
   * That a text of so many tokens fits into the model.
   *
   * @throws IOException if not
   */
  void requireFits(int maxTokens) throws IOException {
    int positions = config.path("max_position_embeddings").asInt(Integer.MAX_VALUE);
    if (maxTokens > positions) {
      throw new InvalidDataException(
          "data.maxTokens=%d, must be at most %d, the max_position_embeddings of %s"
              .formatted(maxTokens, positions, folder.resolve("config.json")));
    }
    if (maxTokens <= before.length + after.length) {
      throw new InvalidDataException(
          "data.maxTokens=%d, must be more than the %d special tokens of a text"
              .formatted(maxTokens, before.length + after.length));
    }
  }

  /** How many tokens the model knows. */
  int vocabulary() {
    return config.path("vocab_size").asInt(Integer.MAX_VALUE);
  }

  private static int[] ints(long[] ids) {
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
