package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.data.DataFiles.Validation.File;
import dev.nola.trainer.data.DataFiles.Validation.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Makes examples of lines of text. */
final class Texts {
  /** Rows between looks whether the thread was interrupted. */
  private static final int PARALLEL_ROWS = 2048;

  private static final int SHOWN_CLASSES = 3;

  private final Layout layout;
  private final int maxTokens;
  private final TextTokenizer tokenizer;
  private final List<String> warnings = new ArrayList<>();
  private int cut;
  private int skipped;

  private Texts(Layout layout, int maxTokens, TextTokenizer tokenizer) {
    this.layout = layout;
    this.maxTokens = maxTokens;
    this.tokenizer = tokenizer;
  }

  static ExampleFile read(
      Layout layout, Path file, int maxTokens, TextTokenizer tokenizer, List<String> labels)
      throws IOException, InterruptedException {
    Lines lines = Lines.read(file);
    Texts texts = new Texts(layout, maxTokens, tokenizer);
    return new ExampleFile(texts.examples(lines, labels), texts.skipped);
  }

  private List<Example> examples(Lines lines, List<String> labels)
      throws IOException, InterruptedException {
    if (layout instanceof Layout.PlainText) {
      return blocks(lines);
    }
    List<Row> rows = rows(lines);
    if (areCompletions()) {
      return completions(lines.path(), rows);
    }
    ClassNames classes = ClassNames.of(lines.path(), rows, labels, adapterClasses(labels));
    classes.require(lines.path(), rows);
    return classified(lines.path(), rows, classes);
  }

  /** Names the classes of an adapter, for messages. */
  private static String adapterClasses(List<String> labels) {
    return "the adapter's classes, such as "
        + String.join(", ", labels.subList(0, Math.min(labels.size(), SHOWN_CLASSES)));
  }

  static Dataset read(DataFiles files, Path model, List<String> labels)
      throws IOException, InterruptedException {
    Lines train = Lines.read(files.train());
    Lines validation = files.validation() instanceof File(Path path) ? Lines.read(path) : null;
    SortedMap<String, Sha256> digests = new TreeMap<>();
    digests.put("train", train.digest());
    if (validation != null) {
      digests.put("validation", validation.digest());
    }
    try (TextTokenizer tokenizer = TextTokenizer.load(model, files.tokens().bos())) {
      Texts texts =
          new Texts(
              files.layout(),
              tokenizer.maximum(files.tokens().maximum(), "data.maxTokens"),
              tokenizer);
      if (files.layout() instanceof Layout.Chat) {
        ChatFormat.of(tokenizer).unusedTemplate(model).ifPresent(texts.warnings::add);
      }
      if (files.layout() instanceof Layout.PlainText) {
        Split<Example> blocks =
            split(texts::blocks, train, validation, files.validation()).limited(files.selection());
        return texts.dataset(blocks.train(), blocks.validation(), List.of(), digests);
      }
      Split<Row> rows = split(texts::rows, train, validation, files.validation());
      Path validationPath = validation == null ? files.train() : validation.path();
      Split<Row> used = rows.limited(files.selection());
      if (texts.areCompletions()) {
        return texts.dataset(
            texts.completions(files.train(), used.train()),
            texts.completions(validationPath, used.validation()),
            List.of(),
            digests);
      }
      ClassNames classes = ClassNames.of(files.train(), rows.train(), labels, "data.labels");
      classes.require(files.train(), rows.train());
      classes.require(validationPath, rows.validation());
      return texts.dataset(
          texts.classified(files.train(), used.train(), classes),
          texts.classified(validationPath, used.validation(), classes),
          classes.names(),
          digests);
    }
  }

  private boolean areCompletions() {
    return switch (layout) {
      case Layout.E2e _, Layout.PromptJsonl _, Layout.PromptCsv _, Layout.Chat _ -> true;
      default -> false;
    };
  }

  private Dataset dataset(
      List<Example> train,
      List<Example> validation,
      List<String> classes,
      SortedMap<String, Sha256> digests) {
    return new Dataset(train, validation, classes, cut, skipped, warnings, digests);
  }

  /** Reads what a file contains. */
  @FunctionalInterface
  private interface Reading<T> {
    List<T> read(Lines lines) throws IOException;
  }

  private static <T> Split<T> split(
      Reading<T> reading, Lines train, @Nullable Lines validation, DataFiles.Validation origin)
      throws IOException {
    List<T> all = reading.read(train);
    return origin instanceof Share share
        ? Split.of(train.path(), all, share)
        : new Split<>(all, validation == null ? List.of() : reading.read(validation));
  }

  private List<Row> rows(Lines lines) throws IOException {
    List<Row> rows =
        layout instanceof Layout.Chat chat
            ? ChatFormat.of(tokenizer).rows(lines, chat)
            : Row.read(lines, layout);
    if (rows.isEmpty()) {
      throw noExamples(lines);
    }
    return rows;
  }

  private static IOException noExamples(Lines lines) {
    return new InvalidDataException(lines.path() + ": has no examples");
  }

  /** Cuts a text into examples of the maximum length; all tokens but the first count. */
  private List<Example> blocks(Lines lines) throws IOException {
    StringBuilder text = new StringBuilder();
    int last = 1;
    for (Lines.Line line : lines.lines()) {
      text.append("\n".repeat(line.number() - last)).append(line.text());
      last = line.number();
    }
    int[] begin = tokenizer.textStart();
    int[] tokens = join(tokenizer.tokens(text.toString()), tokenizer.textEnd());
    int size = maxTokens - begin.length;
    List<Example> blocks = new ArrayList<>();
    for (int start = 0; start < tokens.length; start += size) {
      int[] block =
          join(begin, Arrays.copyOfRange(tokens, start, Math.min(tokens.length, start + size)));
      if (block.length > 1) {
        require(lines.path(), new Row(1, "", ""), block);
        blocks.add(new Example.Completion(block, Math.max(1, begin.length)));
      }
    }
    if (text.isEmpty() || blocks.isEmpty()) {
      throw noExamples(lines);
    }
    return blocks;
  }

  private List<Example> completions(Path path, List<Row> rows)
      throws IOException, InterruptedException {
    boolean isChat = layout instanceof Layout.Chat;
    ChatFormat chat = isChat ? ChatFormat.of(tokenizer) : ChatFormat.PLAIN;
    int[] begin = chat.begin(tokenizer);
    int[] end = chat.end(tokenizer);
    Map<String, int[]> prompts = new ConcurrentHashMap<>(); // many examples share theirs
    List<int[][]> tokens =
        inParallel(
            rows,
            row ->
                new int[][] {
                  prompts.computeIfAbsent(row.text(), tokenizer::tokens),
                  tokenizer.tokens(row.text() + row.answer())
                });
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      int[] prompt = tokens.get(i)[0];
      int[] text = tokens.get(i)[1];
      int common = Arrays.mismatch(prompt, text); // −1 where the completion adds no token
      int promptLength = begin.length + (common < 0 ? prompt.length : common);
      if (promptLength == 0) {
        throw Lines.invalid(
            path, rows.get(i).line(), "needs a prompt: the model has no token to start with");
      }
      int[] joined = join(begin, text, end);
      require(path, rows.get(i), joined);
      if (joined.length > maxTokens) {
        skipped++;
      } else {
        examples.add(new Example.Completion(joined, promptLength));
      }
    }
    if (examples.isEmpty()) {
      throw new InvalidDataException(
          "%s: none of %d examples has at most %d tokens".formatted(path, rows.size(), maxTokens));
    }
    return List.copyOf(examples);
  }

  private List<Example> classified(Path path, List<Row> rows, ClassNames classes)
      throws IOException, InterruptedException {
    int room = maxTokens - tokenizer.prefix().length - tokenizer.suffix().length;
    List<int[]> tokens = inParallel(rows, row -> tokenizer.tokens(row.text()));
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      int[] text = tokens.get(i);
      if (text.length > room) {
        text = Arrays.copyOf(text, room);
        cut++;
      }
      int[] joined = join(tokenizer.prefix(), text, tokenizer.suffix());
      require(path, rows.get(i), joined);
      examples.add(new Example.Classified(joined, classes.number(rows.get(i).answer())));
    }
    return List.copyOf(examples);
  }

  /** Returns results in the order of the rows. */
  private static <T> List<T> inParallel(List<Row> rows, Function<Row, T> function)
      throws InterruptedException {
    List<T> results = new ArrayList<>();
    for (int start = 0; start < rows.size(); start += PARALLEL_ROWS) {
      if (Thread.interrupted()) {
        throw new InterruptedException("reading the data was interrupted");
      }
      List<Row> part = rows.subList(start, Math.min(rows.size(), start + PARALLEL_ROWS));
      results.addAll(part.parallelStream().map(function).toList());
    }
    return results;
  }

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
  }

  private void require(Path path, Row row, int[] tokens) throws IOException {
    if (tokens.length == 0) {
      throw Lines.invalid(path, row.line(), "text has no tokens");
    }
    for (int token : tokens) {
      if (token < 0 || token >= tokenizer.vocabulary()) {
        throw Lines.invalid(
            path,
            row.line(),
            "token %d; must be below %d, the vocab_size in config.json"
                .formatted(token, tokenizer.vocabulary()));
      }
    }
  }
}
