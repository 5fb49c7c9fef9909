package dev.nola.client.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds the one file with weights of a folder without an index. */
final class OnlyFile {
  private OnlyFile() {}

  /**
   * Finds the file.
   *
   * @throws InvalidModelException if the folder has none or several
   */
  static Path of(Path folder) throws IOException {
    if (Files.exists(folder.resolve(Model.SINGLE))) {
      return folder.resolve(Model.SINGLE);
    }
    List<Path> candidates;
    try (Stream<Path> entries = Files.list(folder)) {
      candidates =
          entries
              .filter(
                  file -> isVisible(file) && file.toString().endsWith(SafetensorsFile.EXTENSION))
              .sorted()
              .toList();
    }
    if (candidates.isEmpty()) {
      Optional<String> foreign = ForeignContainer.describe(folder);
      if (foreign.isPresent()) {
        throw new InvalidModelException(folder, foreign.get());
      }
    }
    if (Files.exists(folder.resolve("adapter_config.json"))) {
      throw new InvalidModelException(
          folder,
          "is an adapter of PEFT, not a model; pass it as the adapter, and the model that it was"
              + " made for as the base");
    }
    if (candidates.isEmpty() && Files.isDirectory(folder.resolve("snapshots"))) {
      throw new InvalidModelException(
          folder, "is a folder of the Hub's cache; pass one of the folders in its snapshots");
    }
    if (candidates.size() != 1) {
      throw new InvalidModelException(
          folder,
          "has no %s, no %s, and %s"
              .formatted(
                  Model.INDEX,
                  Model.SINGLE,
                  candidates.isEmpty()
                      ? "no other safetensors file"
                      : "more than one other safetensors file, " + candidates.size()));
    }
    return candidates.getFirst();
  }

  private static boolean isVisible(Path file) {
    return !file.getFileName().toString().startsWith(".");
  }
}
