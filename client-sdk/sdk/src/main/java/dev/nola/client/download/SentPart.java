package dev.nola.client.download;

import dev.nola.client.RegistryException;
import dev.nola.client.http.Answer;
import dev.nola.client.http.RegistryText;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of a file that an answer brings: all of it, or from some byte on.
 *
 * @param start offset in the file of the answer's first byte
 * @param total size of the whole file in bytes, or −1 if the answer does not say
 */
public record SentPart(long start, long total) {
  private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18})");
  private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");
  private static final int PARTIAL = 206;

  /**
   * Reads an answer's headers.
   *
   * @param answer a successful answer
   * @return the part
   * @throws RegistryException if it is a part that does not say which
   */
  public static SentPart of(Answer answer) throws RegistryException {
    if (answer.status() != PARTIAL) {
      return new SentPart(
          0,
          answer
              .header("Content-Length")
              .filter(length -> LENGTH.matcher(length).matches())
              .map(Long::parseLong)
              .orElse(-1L));
    }
    String text = answer.header("Content-Range").orElse("");
    Matcher range = RANGE.matcher(text);
    if (!range.matches()) {
      throw RegistryException.broken(
          "the registry sent part of a file without a valid Content-Range: "
              + RegistryText.printable(text));
    }
    return new SentPart(Long.parseLong(range.group(1)), Long.parseLong(range.group(2)));
  }
}
