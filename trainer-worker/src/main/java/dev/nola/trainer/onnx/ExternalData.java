package dev.nola.trainer.onnx;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/** The files next to an ONNX file that have elements of its initializers, memory-mapped. */
final class ExternalData {
  private final Path onnx;
  private final Arena arena;
  private final Map<Path, MemorySegment> files = new HashMap<>();

  /**
   * Prepares to map files.
   *
   * @param onnx the ONNX file, from whose folder locations count
   * @param arena ends the mappings
   */
  ExternalData(Path onnx, Arena arena) {
    this.onnx = onnx;
    this.arena = arena;
  }

  /**
   * Returns the elements of an initializer.
   *
   * @param name its name
   * @param entries location, offset and length, as in onnx.proto
   * @throws InvalidOnnxException if the location is outside of the folder, or the file is missing
   *     or too short
   * @throws IOException if the file cannot be read
   */
  MemorySegment segment(String name, Map<String, String> entries) throws IOException {
    Path path = path(name, entries.getOrDefault("location", ""));
    MemorySegment file = files.get(path);
    if (file == null) {
      if (!Files.isRegularFile(path)) {
        throw invalid(
            "initializer %s has its elements in %s, which is missing; put it next to the ONNX file",
            name, entries.get("location"));
      }
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      }
      files.put(path, file);
    }
    long offset = number(name, entries, "offset", 0);
    if (offset > file.byteSize()) {
      throw tooShort(name, path);
    }
    long length = number(name, entries, "length", file.byteSize() - offset);
    if (length > file.byteSize() - offset) {
      throw tooShort(name, path);
    }
    return file.asSlice(offset, length);
  }

  private Path path(String name, String location) throws InvalidOnnxException {
    try {
      Path relative = Path.of(location).normalize();
      if (!location.isEmpty() && !relative.isAbsolute() && !relative.startsWith("..")) {
        return onnx.resolveSibling(relative);
      }
    } catch (InvalidPathException e) {
      throw new InvalidOnnxException(onnx, outside(name, location), e);
    }
    throw new InvalidOnnxException(onnx, outside(name, location));
  }

  private static String outside(String name, String location) {
    return "initializer %s has its elements in \"%s\"; must be a file in the folder of the ONNX file"
        .formatted(name, location);
  }

  private long number(String name, Map<String, String> entries, String key, long fallback)
      throws InvalidOnnxException {
    String text = entries.get(key);
    if (text == null) {
      return fallback;
    }
    if (!text.matches("\\d{1,18}")) {
      throw invalid("initializer %s has %s \"%s\" of its elements", name, key, text);
    }
    return Long.parseLong(text);
  }

  private InvalidOnnxException tooShort(String name, Path path) {
    return invalid(
        "initializer %s has its elements past the end of %s; download it again",
        name, path.getFileName());
  }

  private InvalidOnnxException invalid(String rule, Object... values) {
    return new InvalidOnnxException(onnx, rule.formatted(values));
  }
}
