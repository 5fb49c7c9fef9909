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

  /**
   * Returns the console of this process.
   *
   * @return its standard streams and environment; interactive if the launcher found a terminal
   */
  public static Console ofProcess() {
    return new Console(
        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        System.in,
        System.getenv(),
        Boolean.getBoolean("nola.interactive"));
  }

  /**
   * Returns a writer for text that strangers may have written.
   *
   * @return prints to {@code out} without control characters
   */
  public PrintWriter printableOut() {
    return PrintableWriter.on(out);
  }

  /**
   * Returns a writer for messages.
   *
   * @return prints to {@code err} without control characters
   */
  public PrintWriter printableErr() {
    return PrintableWriter.on(err);
  }
}
