package dev.nola.trainer;

import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.data.DatasetReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for a file of examples, with the defaults of job files. */
final class DataOptions {
  private static final String MESSAGES = "messages";

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "What the file holds: jsonl, tsv, csv, e2e, text or chat. Default: by the file's name;"
              + " JSON objects with messages and no prompt are chats.")
  private @Nullable String format;

  @Option(
      names = "--text",
      paramLabel = "NAME",
      description = "Field or column of the text. Default: ${DEFAULT-VALUE}.")
  private String text = "text";

  @Option(
      names = "--label",
      paramLabel = "NAME",
      description = "Field or column of the class. Default: ${DEFAULT-VALUE}.")
  private String label = "label";

  @Option(
      names = "--prompt",
      paramLabel = "NAME",
      description = "Field or column of the text to continue. Default: ${DEFAULT-VALUE}.")
  private String prompt = "prompt";

  @Option(
      names = "--completion",
      paramLabel = "NAME",
      description = "Field or column of the continuation. Default: ${DEFAULT-VALUE}.")
  private String completion = "completion";

  /**
   * Returns what a file contains.
   *
   * @param file the file
   * @param isClassifier whether texts have classes
   * @return its layout
   * @throws IllegalArgumentException if the format is not one for the task
   * @throws IOException if the file cannot be read
   */
  Layout layout(Path file, boolean isClassifier) throws IOException {
    String name = format == null ? DataFiles.extension(file) : format.toLowerCase(Locale.ROOT);
    Layout layout = isClassifier ? labelled(name) : completions(name);
    if (layout == null) {
      throw new IllegalArgumentException(
          "invalid --format: %s; must be %s"
              .formatted(
                  name.isEmpty() ? "\"\"" : name,
                  isClassifier ? "jsonl, tsv or csv" : "jsonl, csv, text, chat or e2e"));
    }
    boolean isGuessed = format == null && layout instanceof Layout.PromptJsonl;
    return isGuessed && DatasetReader.isChat(file, prompt, MESSAGES)
        ? new Layout.Chat(MESSAGES)
        : layout;
  }

  private @Nullable Layout labelled(String name) {
    return switch (name) {
      case "jsonl" -> new Layout.LabelledJsonl(text, label);
      case "csv" -> new Layout.LabelledCsv(text, label);
      case "tsv" -> new Layout.LabelledTsv(text, label);
      default -> null;
    };
  }

  private @Nullable Layout completions(String name) {
    return switch (name) {
      case "jsonl" -> new Layout.PromptJsonl(prompt, completion);
      case "csv" -> new Layout.PromptCsv(prompt, completion);
      case "txt", "text" -> new Layout.PlainText();
      case "e2e" -> new Layout.E2e();
      case "chat" -> new Layout.Chat(MESSAGES);
      default -> null;
    };
  }
}
