package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
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

/** Makes examples of lines of text. */
final class Texts {
  /** Rows between looks whether the thread was interrupted. */
  private static final int PARALLEL_ROWS = 2048;

  private final DataFiles files;
  private final TextTokenizer tokenizer;
  private int cut;
  private int skipped;

  private Texts(DataFiles files, TextTokenizer tokenizer) {
    this.files = files;
    this.tokenizer = tokenizer;
  }

  static Dataset read(DataFiles files, Path model, List<String> labels)
      throws IOException, InterruptedException {
    Lines train = Lines.read(files.train());
    Lines validation = Lines.read(files.validation());
    SortedMap<String, Sha256> digests = new TreeMap<>();
    digests.put("train", train.digest());
    digests.put("validation", validation.digest());
    List<Row> trainRows = Row.read(train, files.layout());
    List<Row> validationRows = Row.read(validation, files.layout());
    try (TextTokenizer tokenizer = TextTokenizer.load(model)) {
      tokenizer.requireFits(files.maxTokens());
      Texts texts = new Texts(files, tokenizer);
      List<Row> usedTrain = first(trainRows, files.trainExamples());
      List<Row> usedValidation = first(validationRows, files.validationExamples());
      boolean completions =
          switch (files.layout()) {
            case DataFiles.Layout.E2e _, DataFiles.Layout.PromptJsonl _ -> true;
            default -> false;
          };
      if (completions) {
        return new Dataset(
            texts.completions(files.train(), usedTrain),
            texts.completions(files.validation(), usedValidation),
            List.of(),
            texts.cut,
            texts.skipped,
            digests);
      }
      ClassNames classes = ClassNames.of(files.train(), trainRows, labels);
      classes.require(files.train(), trainRows);
      classes.require(files.validation(), validationRows);
      return new Dataset(
          texts.classified(files.train(), usedTrain, classes),
          texts.classified(files.validation(), usedValidation, classes),
          classes.names(),
          texts.cut,
          texts.skipped,
          digests);
    }
  }

  private static List<Row> first(List<Row> rows, int count) {
    return rows.subList(0, Math.min(rows.size(), count));
  }

  private List<Example> completions(Path path, List<Row> rows)
      throws IOException, InterruptedException {
    int[] begin = tokenizer.textStart();
    int[] end = tokenizer.textEnd();
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
      if (joined.length > files.maxTokens()) {
        skipped++;
      } else {
        examples.add(new Example.Completion(joined, promptLength));
      }
    }
    if (examples.isEmpty()) {
      throw new InvalidDataException(
          "%s: none of %d examples has at most %d tokens"
              .formatted(path, rows.size(), files.maxTokens()));
    }
    return List.copyOf(examples);
  }

  private List<Example> classified(Path path, List<Row> rows, ClassNames classes)
      throws IOException, InterruptedException {
    int room = files.maxTokens() - tokenizer.prefix().length - tokenizer.suffix().length;
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
