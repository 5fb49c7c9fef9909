package dev.nola.command;

import dev.nola.text.Printable;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Prints what strangers may have written, the description of an adapter say, without what a
 * terminal would take for a command: of the control characters it lets only line feeds and tabs
 * through.
 */
final class PrintableWriter extends FilterWriter {
  private PrintableWriter(Writer out) {
    super(out);
  }

  /**
   * Prints to another writer, flushed after every line. In {@code printf} a value of several lines
   * continues in a column of its own, so that none of them looks like a line of the command.
   *
   * @param out receives the text
   * @param column the column, at least 1
   */
  static PrintWriter on(PrintWriter out, int column) {
    return new PrintWriter(new PrintableWriter(out), true) {
      @Override
      public PrintWriter format(String format, @Nullable Object... values) {
        return super.format(Locale.ROOT, format, indented(values, column));
      }

      @Override
      public PrintWriter format(Locale locale, String format, @Nullable Object... values) {
        return super.format(locale, format, indented(values, column));
      }
    };
  }

  private static @Nullable Object[] indented(@Nullable Object[] values, int column) {
    return Arrays.stream(values)
        .map(
            value -> {
              String[] lines = String.valueOf(value).split("\\R", -1);
              return lines.length == 1 ? value : String.join("\n" + " ".repeat(column), lines);
            })
        .toArray();
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
