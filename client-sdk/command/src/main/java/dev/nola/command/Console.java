package dev.nola.command;

import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What surrounds a command.
 *
 * @param out receives results
 * @param err receives messages and progress
 * @param in what is typed or piped in
 * @param environment variables such as {@code NOLA_TOKEN}
 * @param interactive whether {@code err} is a terminal
 */
public record Console(
    PrintWriter out,
    PrintWriter err,
    InputStream in,
    Map<String, String> environment,
    boolean interactive) {
  /** Where the values of fields start in the text that commands print. */
  private static final int FIELD_COLUMN = 16;

  private static final int MESSAGE_COLUMN = 2;

  /**
   * Returns the console of this process.
   *
   * @return its standard streams and environment; interactive if the launcher found a terminal
   */
  public static Console ofProcess() {
    return new Console(
        StandardStreams.stdout(),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        System.in,
        System.getenv(),
        Boolean.getBoolean("nola.interactive"));
  }

  /**
   * Returns a writer for text that strangers may have written.
   *
   * @return prints to {@code out} without control characters, and indents the further lines of a
   *     value in {@code printf}
   */
  public PrintWriter printableOut() {
    return PrintableWriter.on(out, FIELD_COLUMN);
  }

  /**
   * Returns a writer for messages.
   *
   * @return prints to {@code err} without control characters, and indents the further lines of a
   *     value in {@code printf}
   */
  public PrintWriter printableErr() {
    return PrintableWriter.on(err, MESSAGE_COLUMN);
  }
}
