package dev.nola.trainer.data;

import dev.nola.trainer.image.ImageSettings;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The files with the examples of a job. A file whose name ends in {@code .gz} is uncompressed while
 * it is read.
 *
 * @param layout what the files contain
 * @param train file, or folder, of training examples
 * @param validation where the validation examples come from
 * @param tokens how texts become tokens; not used with {@link Layout.Idx}
 * @param selection which of the examples are used
 */
public record DataFiles(
    Layout layout, Path train, Validation validation, Tokens tokens, Selection selection) {
  /** Longest text, in tokens, unless the model allows only shorter ones. */
  public static final int DEFAULT_MAX_TOKENS = 256;

  /**
   * Describes files of which one has the validation examples.
   *
   * @param layout what the files contain
   * @param train file of training examples
   * @param validation file of validation examples
   * @param maxTokens longest text, in tokens; null for the default
   * @param trainExamples maximum number of training examples
   * @param validationExamples maximum number of validation examples
   */
  public DataFiles(
      Layout layout,
      Path train,
      Path validation,
      @Nullable Integer maxTokens,
      int trainExamples,
      int validationExamples) {
    this(
        layout,
        train,
        new Validation.File(validation),
        new Tokens(maxTokens, Bos.TOKENIZER),
        new Selection(trainExamples, validationExamples, 0, 0));
  }

  /**
   * Which examples of the files are used.
   *
   * @param trainExamples maximum number of training examples; the first ones are used
   * @param validationExamples maximum number of validation examples; the first ones are used
   * @param shots number of training examples of each class, which are drawn of these; 0 for all
   * @param seed seed of what is drawn
   */
  public record Selection(int trainExamples, int validationExamples, int shots, long seed) {
    /** All examples. */
    public static final Selection ALL = new Selection(Integer.MAX_VALUE, Integer.MAX_VALUE, 0, 0);
  }

  /**
   * Returns the extension of a data file's name.
   *
   * @param file the file
   * @return such as {@code csv}, in lower case, also of a name that ends in {@code .csv.gz}; empty
   *     if absent
   */
  public static String extension(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    int dot = plain.lastIndexOf('.');
    return dot < 0 ? "" : plain.substring(dot + 1);
  }

  /**
   * How texts become tokens.
   *
   * @param maximum longest text, in tokens; null for {@value #DEFAULT_MAX_TOKENS}, or what the
   *     model allows
   * @param bos what a text to be continued begins with
   */
  public record Tokens(@Nullable Integer maximum, Bos bos) {}

  /** Where validation examples come from. */
  public sealed interface Validation {
    /**
     * A file of their own.
     *
     * @param path the file
     */
    record File(Path path) implements Validation {}

    /**
     * The training file, of which a part is not trained on. Equal files are split equally.
     *
     * @param share share of the examples, above 0 and below 1
     */
    record Share(double share) implements Validation {}
  }

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
     * Comma-separated values (RFC 4180), named by the first line, with a text and its class.
     *
     * @param text column of the text
     * @param label column of the class
     */
    record LabelledCsv(String text, String label) implements Layout {}

    /**
     * Comma-separated values (RFC 4180), named by the first line, with two texts, of which the
     * second is to be learned.
     *
     * @param prompt column of the text to continue
     * @param completion column of the continuation
     */
    record PromptCsv(String prompt, String completion) implements Layout {}

    /** A text, which is cut into examples of the maximum length. */
    record PlainText() implements Layout {}

    /**
     * One JSON object per line with the messages of a chat, {@code [{"role": …, "content": …}, …]}.
     * Each answer of the assistant is an example.
     *
     * @param messages field of the messages
     */
    record Chat(String messages) implements Layout {}

    /**
     * Images in MNIST's format, with their classes in separate files.
     *
     * @param trainLabels file with the classes of the training images
     * @param validationLabels file with the classes of the validation images
     * @param images what turns them into the input of a vision model; null if they are features
     */
    record Idx(Path trainLabels, Path validationLabels, @Nullable ImageSettings images)
        implements Layout {
      @Override
      public @Nullable ImageSettings images() {
        return images;
      }
    }

    /**
     * A folder of PNG and JPEG files, with a folder inside for each class.
     *
     * @param images what turns them into the input of a model
     */
    record ImageFolder(ImageSettings images) implements Layout {
      @Override
      public ImageSettings images() {
        return images;
      }
    }

    /**
     * Returns what turns images into the input of a vision model.
     *
     * @return the settings; null where the files have no images for one
     */
    default @Nullable ImageSettings images() {
      return null;
    }
  }
}
