package dev.nola.trainer.data;

import java.nio.file.Path;

/**
 * Where examples are, and how they are read. A file whose name ends in {@code .gz} is uncompressed
 * on the way.
 *
 * @param layout what the files hold
 * @param train examples to learn from
 * @param validation examples to measure on
 * @param maxTokens longest text, in tokens; of no use for {@link Layout.Idx}
 * @param trainExamples read at most so many, the first ones
 * @param validationExamples likewise
 */
public record DataFiles(
    Layout layout,
    Path train,
    Path validation,
    int maxTokens,
    int trainExamples,
    int validationExamples) {
  /** What a file holds. */
  public sealed interface Layout {
    /** A line an example, {@code slots||sentence}, as the E2E NLG Challenge is kept for GPT-2. */
    record E2e() implements Layout {}

    /** A JSON object a line, with two texts: completions are to be learned. */
    record PromptJsonl(String prompt, String completion) implements Layout {}

    /** A JSON object a line, with a text and its class. */
    record LabelledJsonl(String text, String label) implements Layout {}

    /** Columns between tabs, named by the first line: a text and its class among them. */
    record LabelledTsv(String text, String label) implements Layout {}

    /** Images as MNIST has them, whose classes are in files of their own. */
    record Idx(Path trainLabels, Path validationLabels) implements Layout {}
  }
}
