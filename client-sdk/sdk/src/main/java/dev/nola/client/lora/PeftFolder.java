package dev.nola.client.lora;

import dev.nola.client.lora.ImportRefusedException.Reason;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The two files of an adapter of PEFT.
 *
 * @param config the settings
 * @param weights the factors
 */
record PeftFolder(Path config, Path weights) {
  /** The name of a part, by the convention of the Hub. */
  private static final Pattern SHARD = Pattern.compile(".+-\\d{5}-of-\\d{5}\\.safetensors");

  /**
   * Finds the files.
   *
   * @param path the folder, or one of the files in it
   * @throws ImportRefusedException if a file is missing, or the factors are pickled
   * @throws NoSuchFileException if the path does not exist
   */
  static PeftFolder of(Path path) throws IOException, ImportRefusedException {
    if (!Files.exists(path)) {
      throw missing(path);
    }
    if (Files.isDirectory(path)) {
      Path weights = path.resolve(PeftFiles.WEIGHTS);
      if (Files.exists(weights, LinkOption.NOFOLLOW_LINKS)) {
        return new PeftFolder(
            requireConfig(path.resolve(PeftFiles.CONFIG)), requireRegular(weights));
      }
      Path shard = shard(path);
      if (shard != null) {
        throw sharded(shard);
      }
      if (Files.exists(path.resolve(PeftFiles.PICKLE))) {
        throw pickled(path.resolve(PeftFiles.PICKLE));
      }
      throw new ImportRefusedException(
          Reason.NOT_PEFT,
          "%s: is not a LoRA of PEFT: it has no %s%s"
              .formatted(path, PeftFiles.WEIGHTS, hint(path)));
    }
    String name = path.getFileName().toString();
    if (name.equals(PeftFiles.CONFIG)) {
      return of(path.resolveSibling(""));
    }
    if (name.equals(PeftFiles.PICKLE)) {
      throw pickled(path);
    }
    if (!name.endsWith(SafetensorsFile.EXTENSION)) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT,
          "%s: is not a LoRA of PEFT; name its folder, or the %s in it"
              .formatted(path, PeftFiles.WEIGHTS));
    }
    if (SHARD.matcher(name).matches()) {
      throw sharded(path);
    }
    return new PeftFolder(
        requireConfig(path.resolveSibling(PeftFiles.CONFIG)), requireRegular(path));
  }

  /** Returns whether a path is, or looks as if it were meant to be, an adapter of PEFT. */
  static boolean isMeant(Path path) {
    return Files.isDirectory(path)
        || path.toString().endsWith(SafetensorsFile.EXTENSION)
        || path.endsWith(PeftFiles.CONFIG)
        || path.endsWith(PeftFiles.PICKLE);
  }

  private static Path requireConfig(Path config) throws IOException, ImportRefusedException {
    if (!Files.exists(config, LinkOption.NOFOLLOW_LINKS)) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT,
          "%s: no such file; without it the safetensors file next to it is not a LoRA of PEFT, because its method, rank and alpha are not known"
              .formatted(config));
    }
    return requireRegular(config);
  }

  private static Path requireRegular(Path file) throws IOException, ImportRefusedException {
    if (!Files.exists(file)) {
      throw missing(file);
    }
    if (!Files.isRegularFile(file)) {
      throw new ImportRefusedException(
          Reason.NOT_PEFT,
          "%s: is %s, not a regular file"
              .formatted(file, Files.isDirectory(file) ? "a folder" : "a pipe or a device"));
    }
    return file;
  }

  private static NoSuchFileException missing(Path file) throws IOException {
    return Files.isSymbolicLink(file)
        ? new NoSuchFileException(
            file.toString(),
            null,
            "is a link to %s, which does not exist".formatted(Files.readSymbolicLink(file)))
        : new NoSuchFileException(file.toString());
  }

  /** Returns a part of a LoRA that is in several files; null if the folder has none. */
  private static @Nullable Path shard(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> SHARD.matcher(entry.getFileName().toString()).matches())
          .sorted()
          .findFirst()
          .orElse(null);
    }
  }

  private static ImportRefusedException sharded(Path shard) {
    return new ImportRefusedException(
        Reason.NOT_PEFT,
        "%s: is one of several parts of a LoRA; join them in one %s"
            .formatted(shard, PeftFiles.WEIGHTS));
  }

  private static ImportRefusedException pickled(Path file) {
    return new ImportRefusedException(
        Reason.NOT_PEFT,
        "%s: is a pickle, which can run any code when it is read; load it with PEFT and save it with save_pretrained(…, safe_serialization=True), which writes %s"
            .formatted(file, PeftFiles.WEIGHTS));
  }

  /** Names the folders within that are adapters, such as those of a trainer's checkpoints. */
  private static String hint(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      List<String> adapters =
          entries
              .filter(entry -> Files.isRegularFile(entry.resolve(PeftFiles.CONFIG)))
              .map(Path::toString)
              .sorted()
              .limit(3)
              .toList();
      return adapters.isEmpty() ? "" : "; adapters in it: " + String.join(", ", adapters);
    }
  }
}
