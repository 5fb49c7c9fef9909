package dev.nola.trainer.data;

import java.nio.file.Path;

/**
 * The files with the examples of a job. A file whose name ends in {@code .gz} is uncompressed while
 * it is read.
 *
 * @param layout what the files contain
 * @param train file of training examples
 * @param validation file of validation examples
 * @param maxTokens longest text, in tokens; not used with {@link Layout.Idx}
 * @param trainExamples maximum number of training examples; the first ones are used
 * @param validationExamples maximum number of validation examples; the first ones are used
 */
public record DataFiles(
    Layout layout,
    Path train,
    Path validation,
    int maxTokens,
    int trainExamples,
    int validationExamples) {
  /** What a file contains. */
  public sealed interface Layout {
    /** One example per line, {@code slots||sentence}: the E2E NLG Challenge as used for GPT-2. */
    record E2e() implements Layout {}

    /**
     * One JSON object per line with two texts, of which the second is to be learned.
     *
     * @param prompt field of the text to continue
     * @param completion field of the continuation
     */
    record PromptJsonl(String prompt, String completion) implements Layout {}

    /**
     * One JSON object per line with a text and its class.
     *
     * @param text field of the text
     * @param label field of the class
     */
    record LabelledJsonl(String text, String label) implements Layout {}

    /**
     * Columns separated by tabs, named by the first line.
     *
     * @param text column of the text
     * @param label column of the class
     */
    record LabelledTsv(String text, String label) implements Layout {}

    /**
     * Images in MNIST's format, with their classes in separate files.
     *
     * @param trainLabels file with the classes of the training images
     * @param validationLabels file with the classes of the validation images
     */
    record Idx(Path trainLabels, Path validationLabels) implements Layout {}
  }
}
