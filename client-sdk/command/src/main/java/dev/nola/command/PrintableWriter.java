package dev.nola.command;

import dev.nola.text.Printable;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;

/**
 * Prints what strangers may have written, the description of an adapter say, without what a
 * terminal would take for a command: of the control characters it lets only line feeds and tabs
 * through.
 */
final class PrintableWriter extends FilterWriter {
  private PrintableWriter(Writer out) {
    super(out);
  }

  /** Prints to another writer; flushed after every line. */
  static PrintWriter on(PrintWriter out) {
    return new PrintWriter(new PrintableWriter(out), true);
  }

  @Override
  public void write(int character) throws IOException {
    boolean isCommand = Printable.isControl(character) && character != '\n' && character != '\t';
    out.write(isCommand ? '\uFFFD' : character);
  }

  @Override
  public void write(char[] text, int offset, int length) throws IOException {
    for (int i = offset; i < offset + length; i++) {
      write(text[i]);
    }
  }

  @Override
  public void write(String text, int offset, int length) throws IOException {
    write(text.toCharArray(), offset, length);
  }
}
