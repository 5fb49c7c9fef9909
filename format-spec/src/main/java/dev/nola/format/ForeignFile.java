package dev.nola.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Guesses what a file is that is not a .nola file, for the message of its refusal. */
final class ForeignFile {
  private static final long MAX_SAFETENSORS_HEADER = 100_000_000;

  private ForeignFile() {}

  /**
   * Guesses the kind of a file.
   *
   * @param start its first bytes, at least 9
   * @return a noun with its article, and what to do about it where that is known; empty if the
   *     bytes are of no known kind
   */
  static String guess(byte[] start) {
    String text = new String(start, StandardCharsets.ISO_8859_1);
    String lower = text.stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("version https://git-lfs")) {
      return "a Git LFS pointer; git lfs pull replaces it by the file";
    }
    if (text.startsWith("PK\3\4")) {
      return "a zip archive";
    }
    if (text.startsWith("GGUF")) {
      return "a GGUF model";
    }
    if (isSafetensors(start)) {
      return "a safetensors file";
    }
    if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
      return "an HTML page";
    }
    return isText(start) ? "text" : "";
  }

  /** A safetensors file begins with the length of its header, which is a JSON object. */
  private static boolean isSafetensors(byte[] start) {
    long header = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return header > 0 && header <= MAX_SAFETENSORS_HEADER && start[Long.BYTES] == '{';
  }

  private static boolean isText(byte[] start) {
    for (byte character : start) {
      boolean isSpace = character == '\n' || character == '\r' || character == '\t';
      if (character < ' ' && !isSpace || character == 0x7F) {
        return false;
      }
    }
    return true;
  }
}
