package dev.nola.trainer.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.nola.client.JsonProblem;
import dev.nola.client.PythonJson;
import dev.nola.text.Printable;
import dev.nola.trainer.djl.NativeLibraries;
import dev.nola.trainer.model.Bert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The tokenizer of a model's folder ({@code tokenizer.json}), with the special tokens and limits in
 * {@code config.json}.
 */
public final class TextTokenizer implements AutoCloseable {
  /** Characters of a prompt by which a message tells it from others. */
  private static final int SHOWN = 40;

  private final Path folder;
  private final HuggingFaceTokenizer tokenizer;
  private final JsonNode config;
  private final Bos bos;
  private final int[] prefix;
  private final int[] suffix;

  private TextTokenizer(Path folder, HuggingFaceTokenizer tokenizer, JsonNode config, Bos bos) {
    this.folder = folder;
    this.bos = bos;
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
    this.prefix = Arrays.copyOfRange(ids, 0, begin);
    this.suffix = Arrays.copyOfRange(ids, end, ids.length);
  }

  /**
   * Loads the tokenizer from a folder, never from the network.
   *
   * @param folder folder of the model
   * @param bos what a text to be continued begins with
   * @return the tokenizer, to be closed by the caller
   * @throws IOException if a file cannot be read or is invalid
   */
  public static TextTokenizer load(Path folder, Bos bos) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    Path configFile = folder.resolve("config.json");
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    JsonNode config;
    try {
      config = PythonJson.mapper().readTree(Files.readAllBytes(configFile));
    } catch (JacksonException e) {
      throw new InvalidDataException(configFile + ": invalid JSON: " + JsonProblem.of(e), e);
    }
    // Padding and truncation in tokenizer.json are for inference.
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    NativeLibraries.stayOffline();
    try {
      return new TextTokenizer(
          folder, HuggingFaceTokenizer.newInstance(file, options), config, bos);
    } catch (RuntimeException e) {
      throw new InvalidDataException(file + ": invalid tokenizer: " + e.getMessage(), e);
    }
  }

  /**
   * Returns the tokens of a text, without special tokens. Any number of threads may call it.
   *
   * @param text any text
   * @return ids of the tokens
   */
  public int[] tokens(String text) {
    return ints(tokenizer.encode(text, false, false).getIds());
  }

  /**
   * Returns whether a text is a token of its own.
   *
   * @param text such as {@code <|im_start|>}
   * @return false also for the token of unknown words
   */
  boolean isToken(String text) {
    String[] tokens = tokenizer.encode(text, false, false).getTokens();
    return tokens.length == 1 && tokens[0].equals(text);
  }

  /**
   * Returns the text of tokens, without special tokens.
   *
   * @param tokens ids of the tokens
   * @return the text
   */
  public String text(int[] tokens) {
    return tokenizer.decode(Arrays.stream(tokens).asLongStream().toArray(), true);
  }

  /**
   * Returns the tokens of a text to be classified, with the tokenizer's special tokens.
   *
   * @param text any text
   * @return ids of the tokens; the end of a text that is too long by default is cut off
   */
  public int[] classified(String text) {
    int room = defaultMaximum() - prefix.length - suffix.length;
    IntStream tokens = Arrays.stream(tokens(text)).limit(Math.max(0, room));
    return Stream.of(Arrays.stream(prefix), tokens, Arrays.stream(suffix))
        .flatMapToInt(part -> part)
        .toArray();
  }

  /**
   * Returns the length of the longest text.
   *
   * @param maxTokens the length that was set, in tokens; null for the default
   * @param setting name of the setting, for messages
   * @return the length, in tokens
   * @throws IllegalArgumentException if the model does not accept texts of this length
   */
  public int maximum(@Nullable Integer maxTokens, String setting) {
    int maximum = maxTokens == null ? defaultMaximum() : maxTokens;
    if (maximum > positions()) {
      throw new IllegalArgumentException(
          "invalid %s: %d; must be at most %d, by the %s of %s"
              .formatted(
                  setting, maximum, positions(), positionsKey(), folder.resolve("config.json")));
    }
    if (maximum <= prefix.length + suffix.length) {
      throw new IllegalArgumentException(
          "invalid %s: %d; must be more than the %d special tokens of a text"
              .formatted(setting, maximum, prefix.length + suffix.length));
    }
    return maximum;
  }

  private int defaultMaximum() {
    return Math.min(DataFiles.DEFAULT_MAX_TOKENS, positions());
  }

  /**
   * Returns the length of the longest text that the model accepts.
   *
   * @return the length, in tokens; the largest int if its config names none
   */
  public int positions() {
    return config.path(positionsKey()).asInt(Integer.MAX_VALUE) - Bert.unusedPositions(config);
  }

  /** Returns the key of config.json that limits texts: GPT-2's, or that of all others. */
  private String positionsKey() {
    return config.has("n_positions") ? "n_positions" : "max_position_embeddings";
  }

  /** Returns the special tokens that the tokenizer puts before a text, such as [CLS]. */
  int[] prefix() {
    return prefix;
  }

  /** Returns the special tokens that the tokenizer puts after a text, such as [SEP]. */
  int[] suffix() {
    return suffix;
  }

  /**
   * Returns what a text to be continued begins with.
   *
   * @return ids of the tokens; empty if it begins with none
   */
  public int[] textStart() {
    return switch (bos) {
      case TOKENIZER -> prefix;
      case CONFIG -> {
        JsonNode id = config.path("bos_token_id");
        yield prefix.length == 0 && id.isInt() ? new int[] {id.intValue()} : prefix;
      }
      case NONE -> new int[0];
    };
  }

  /**
   * A text to be continued.
   *
   * @param tokens ids of its tokens, with the special tokens before it; at least one
   * @param ends ids of the tokens that end the continuation
   * @param room number of tokens for which the model has positions after it, at least 1
   */
  public record Prompt(int[] tokens, Set<Integer> ends, int room) {}

  /**
   * Returns the tokens of a text to be continued; a text in the model's chat format begins and ends
   * as chats in training.
   *
   * @param text any text
   * @return the tokens
   * @throws IllegalArgumentException if the text is empty, and no special token begins a text
   * @throws IOException if the model has no token that ends a text
   */
  public Prompt prompt(String text) throws IOException {
    ChatFormat format = ChatFormat.ofPrompt(this, text);
    int[] tokens =
        IntStream.concat(Arrays.stream(format.begin(this)), Arrays.stream(tokens(text))).toArray();
    if (tokens.length == 0) {
      throw new IllegalArgumentException("empty prompt; the model has no token to start with");
    }
    int room = positions() - tokens.length;
    if (room < 1) {
      throw new IllegalArgumentException(
          "prompt \"%s…\" has %d tokens; must have fewer than %d, by the %s of %s"
              .formatted(
                  Printable.line(text.substring(0, Math.min(SHOWN, text.length()))),
                  tokens.length,
                  positions(),
                  positionsKey(),
                  folder.resolve("config.json")));
    }
    Set<Integer> ends = new HashSet<>();
    ends.add(format.end(this)[0]);
    JsonNode eos = config.path("eos_token_id");
    (eos.isArray() ? eos.valueStream() : Stream.of(eos))
        .filter(JsonNode::isInt)
        .forEach(end -> ends.add(end.intValue()));
    return new Prompt(tokens, Set.copyOf(ends), room);
  }

  /**
   * Returns a text whose end is predicted. It ends with the completion, not with EOS.
   *
   * @param prompt the beginning
   * @param completion the end, as it follows
   * @return its tokens; the end begins at the first that differs from those of the prompt alone
   * @throws IllegalArgumentException if the end has no token, or the beginning has none
   */
  public Example.Completion completed(String prompt, String completion) {
    int[] start = textStart();
    int[] begin = tokens(prompt);
    int[] text = tokens(prompt + completion);
    int common = Arrays.mismatch(begin, text);
    int length = start.length + (common < 0 ? begin.length : common);
    if (length == 0 || length == start.length + text.length) {
      throw new IllegalArgumentException(
          "text without tokens %s its completion: \"%s\""
              .formatted(length == 0 ? "before" : "in", completion));
    }
    return new Example.Completion(
        IntStream.concat(Arrays.stream(start), Arrays.stream(text)).toArray(), length);
  }

  /**
   * Returns what a text ends with.
   *
   * @return the tokenizer's special tokens, or else the model's EOS
   * @throws IOException if neither has any, so that no model can learn where to end
   */
  public int[] textEnd() throws IOException {
    JsonNode eos = config.path("eos_token_id");
    JsonNode first = eos.isArray() ? eos.path(0) : eos; // the others end chat turns
    if (suffix.length > 0) {
      return suffix;
    }
    if (!first.isInt()) {
      throw new InvalidDataException(
          "%s: invalid eos_token_id: %s; must be a token id, because the tokenizer adds no EOS"
              .formatted(folder.resolve("config.json"), eos));
    }
    return new int[] {first.intValue()};
  }

  /** Returns the number of tokens that the model knows. */
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
