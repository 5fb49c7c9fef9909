package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The lines of a text file in UTF-8, without blank ones; a byte order mark and carriage returns at
 * the ends are not part of a line.
 *
 * @param path the file
 * @param lines lines that are not blank
 * @param digest digest of the file's uncompressed bytes
 */
record Lines(Path path, List<Line> lines, Sha256 digest) {
  /** Longest line, in bytes; a file with longer ones is not text. */
  private static final int MAX_BYTES = 1 << 24;

  /**
   * A line.
   *
   * @param number number in the file, from 1
   * @param text text of the line
   */
  record Line(int number, String text) {}

  static Lines read(Path path) throws IOException {
    try (DataFile file = DataFile.open(path)) {
      List<Line> lines = read(file, path, Integer.MAX_VALUE);
      return new Lines(path, lines, file.digest());
    }
  }

  /** Returns the first line that is not blank, without reading the file to its end. */
  static Optional<Line> first(Path path) throws IOException {
    try (DataFile file = DataFile.open(path)) {
      return read(file, path, 1).stream().findFirst();
    }
  }

  private static List<Line> read(DataFile file, Path path, int limit) throws IOException {
    List<Line> lines = new ArrayList<>();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 16];
    int number = 1;
    for (int count; (count = file.read(buffer, 0, buffer.length)) >= 0; ) {
      int start = 0;
      for (int i = 0; i < count; i++) {
        if (buffer[i] == '\n') {
          line.write(buffer, start, i - start);
          add(lines, path, number++, line.toByteArray());
          if (lines.size() == limit) {
            return lines;
          }
          line.reset();
          start = i + 1;
        }
      }
      line.write(buffer, start, count - start);
      if (line.size() > MAX_BYTES) {
        throw invalid(
            path,
            number,
            String.format(Locale.ROOT, "has more than %,d bytes, the limit", MAX_BYTES));
      }
    }
    add(lines, path, number, line.toByteArray());
    return lines;
  }

  /** Returns the error that a line breaks a rule. */
  static IOException invalid(Path path, int line, String rule) {
    return new InvalidDataException("%s: line %d: %s".formatted(path, line, rule));
  }

  private static void add(List<Line> lines, Path path, int number, byte[] bytes)
      throws IOException {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      throw invalid(path, number, "not valid UTF-8");
    }
    if (number == 1 && text.startsWith("\uFEFF")) {
      text = text.substring(1);
    }
    if (text.endsWith("\r")) {
      text = text.substring(0, text.length() - 1);
    }
    if (!text.isBlank()) {
      lines.add(new Line(number, text));
    }
  }
}
