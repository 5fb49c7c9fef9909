package dev.nola.trainer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Models with small random weights, and texts of the words w0 to w47. */
final class TinyModels {
  private static final Path MODELS = Path.of("src/test/resources/models");

  private TinyModels() {}

  /**
   * Copies a model to the folder's {@code model}, where it replaces another, and writes a tokenizer
   * of one token a word.
   */
  static Path write(Path folder, String name) throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.deleteIfExists(model.resolve(file));
      Files.copy(MODELS.resolve(name).resolve(file), model.resolve(file));
    }
    String words =
        IntStream.range(0, 48)
            .mapToObj(i -> "\"w%d\":%d".formatted(i, i))
            .collect(Collectors.joining(","));
    Files.writeString(
        model.resolve("tokenizer.json"),
        """
        {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
         "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {%s}}}
        """
            .formatted(words));
    return model;
  }

  /** Writes 32 texts of two classes, decided by their second word, to the folder's {@code data}. */
  static Path writeGlosses(Path folder) throws IOException {
    return Files.writeString(
        folder.resolve("data"),
        "text\tlabel\n"
            + IntStream.range(0, 32)
                .mapToObj(
                    i ->
                        "w%d w%d w3\t%s\n".formatted(i % 5 + 20, i % 2 + 8, i % 2 == 0 ? "a" : "b"))
                .collect(Collectors.joining()));
  }
}
