package dev.nola.trainer.data;

import dev.nola.files.StagedOutput;
import dev.nola.trainer.data.DataFiles.Layout;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * The prompts of a task that describes data in words, each with the texts that people wrote.
 *
 * <p>A prompt is the data and {@code " ||"}, and a text follows it after a space, as in the E2E
 * files; data are as the scripts of the LoRA paper linearise them: {@code subject : predicate :
 * object | …}. White space within texts is a single space.
 *
 * @param prompts the prompts, each once
 */
public record ReferenceTexts(List<Prompt> prompts) {
  private static final String SEPARATOR = " ||";

  /**
   * A prompt.
   *
   * @param prompt text to continue
   * @param references texts that people wrote, at least one
   * @param category what the data is about; null if the file has none
   */
  public record Prompt(String prompt, List<String> references, @Nullable String category) {}

  /**
   * What was written.
   *
   * @param prompts number of prompts
   * @param references number of texts
   */
  public record Report(int prompts, int references) {}

  /** Copies the list. */
  public ReferenceTexts {
    prompts = List.copyOf(prompts);
  }

  /**
   * Reads WebNLG.
   *
   * @param source an XML file of any release, or a folder of such files
   * @return the triples, and the English texts that are not marked as bad
   * @throws IOException if it cannot be read, or is not a WebNLG file
   */
  public static ReferenceTexts ofWebNlg(Path source) throws IOException {
    Collector collector = new Collector();
    WebNlg.read(source, collector);
    return collector.collected(source);
  }

  /**
   * Reads DART.
   *
   * @param source its JSON file; may end in {@code .gz}
   * @return the triples, with predicates in lower case, and all texts
   * @throws IOException if it cannot be read, or is not a DART file
   */
  public static ReferenceTexts ofDart(Path source) throws IOException {
    Collector collector = new Collector();
    Dart.read(source, collector);
    return collector.collected(source);
  }

  /**
   * Reads the E2E NLG Challenge.
   *
   * @param source a file with {@code slots||sentence} per line; may end in {@code .gz}
   * @return the slots, and all sentences of each
   * @throws IOException if it cannot be read, or a line is not of this form
   */
  public static ReferenceTexts ofE2e(Path source) throws IOException {
    Collector collector = new Collector();
    for (Row row : Row.read(Lines.read(source), new Layout.E2e())) {
      collector.add(row.text(), row.answer(), null);
    }
    return collector.collected(source);
  }

  /** Collects texts by prompt, in the order of the file. */
  static final class Collector {
    private final Map<String, Prompt> prompts = new LinkedHashMap<>();

    /** Adds a text that describes triples. */
    void add(List<Triple> triples, String text, @Nullable String category) {
      add(Triple.linearised(triples) + SEPARATOR, text, category);
    }

    private void add(String prompt, String text, @Nullable String category) {
      prompts
          .computeIfAbsent(prompt, _ -> new Prompt(prompt, new ArrayList<>(), category))
          .references
          .add(text.strip().replaceAll("\\s+", " "));
    }

    private ReferenceTexts collected(Path source) throws IOException {
      if (prompts.isEmpty()) {
        throw new InvalidDataException(source + ": has no texts");
      }
      return new ReferenceTexts(new ArrayList<>(prompts.values()));
    }
  }

  /**
   * A statement.
   *
   * @param subject what it is about
   * @param predicate what is said
   * @param object its value
   */
  record Triple(String subject, String predicate, String object) {
    static String linearised(List<Triple> triples) {
      return String.join(
          " | ",
          triples.stream()
              .map(each -> String.join(" : ", each.subject, each.predicate, each.object))
              .toList());
    }
  }

  /**
   * Writes {@code examples.jsonl}, with {@code prompt} and {@code completion}, and {@code
   * references.jsonl}, with {@code prompt}, {@code references} and perhaps {@code category}.
   *
   * @param folder folder to create, which must not exist
   * @return what it has
   * @throws IOException if it cannot be written
   */
  public Report write(Path folder) throws IOException {
    JsonMapper json = JsonMapper.shared();
    int texts = 0;
    try (StagedOutput output = StagedOutput.begin(folder)) {
      Path created = Files.createDirectory(output.path());
      try (BufferedWriter examples = Files.newBufferedWriter(created.resolve("examples.jsonl"));
          BufferedWriter references =
              Files.newBufferedWriter(created.resolve("references.jsonl"))) {
        for (Prompt prompt : prompts) {
          for (String text : prompt.references) {
            Example example = new Example(prompt.prompt, " " + text);
            examples.write(json.writeValueAsString(example) + "\n");
            texts++;
          }
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("prompt", prompt.prompt);
          fields.put("references", prompt.references);
          if (prompt.category != null) {
            fields.put("category", prompt.category);
          }
          references.write(json.writeValueAsString(fields) + "\n");
        }
      }
      output.finish();
    }
    return new Report(prompts.size(), texts);
  }

  /** A line of {@code examples.jsonl}. */
  private record Example(String prompt, String completion) {}
}
