package dev.nola.command;

import dev.nola.api.json.NolaModule;
import dev.nola.text.Printable;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Options of every command: how it prints its result, and its messages meanwhile. */
public final class Output {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new NolaModule())
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private static final int FIRST_ESCAPED = 0x7F; // JSON escapes controls below it

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print only results and errors.")
  private boolean quiet;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  /**
   * Returns what surrounds the command.
   *
   * @return its streams and environment
   */
  public Console console() {
    return ((RootCommand) command.root().userObject()).console();
  }

  /**
   * Reads an environment variable.
   *
   * @param name such as {@code NOLA_TOKEN}
   * @return its value; empty if it is not set
   */
  public String environment(String name) {
    return console().environment().getOrDefault(name, "");
  }

  /**
   * Returns the command that has these options.
   *
   * @return picocli's model of it
   */
  public CommandSpec command() {
    return command;
  }

  /**
   * Returns whether {@code --json} was given.
   *
   * @return whether the result is printed as JSON
   */
  public boolean isJson() {
    return json;
  }

  /**
   * Prints a result.
   *
   * @param value what {@code --json} prints
   * @param text prints the same for people
   */
  public void print(Object value, Consumer<PrintWriter> text) {
    if (json) {
      console().out().println(escape(JSON.writeValueAsString(value)));
    } else {
      PrintWriter out = console().printableOut();
      text.accept(out);
      out.flush();
    }
  }

  /**
   * Escapes characters that could act on a terminal or reverse the direction of text. JSON has such
   * beyond ASCII within strings only, where an escape means the same.
   */
  static String escape(String json) {
    StringBuilder escaped = new StringBuilder(json.length());
    json.codePoints()
        .forEach(
            character -> {
              if (character < FIRST_ESCAPED || !Printable.isControl(character)) {
                escaped.appendCodePoint(character);
                return;
              }
              for (char unit : Character.toChars(character)) {
                escaped.append("\\u%04x".formatted((int) unit));
              }
            });
    return escaped.toString();
  }

  /**
   * Prints a message that is not the result, unless {@code --quiet} was given.
   *
   * @param format as for {@link String#format}
   * @param values the format's arguments
   */
  public void message(String format, Object... values) {
    if (!quiet) {
      console().printableErr().printf("%s%n", String.format(Locale.ROOT, format, values));
    }
  }

  /**
   * Prints a message that people should heed and scripts may ignore.
   *
   * @param warning a sentence
   */
  public void warn(String warning) {
    message("warning: %s", warning);
  }

  /**
   * Prints a line of a long-running command's log: on stdout, or on stderr where stdout is for the
   * one JSON document.
   *
   * @param line the line
   */
  public void log(String line) {
    (json ? console().printableErr() : console().printableOut()).printf("%s%n", line);
  }

  /**
   * Creates a progress bar for bytes; without a terminal it prints lines.
   *
   * @param task its title
   * @return the bar; close it before anything else is printed
   */
  public ProgressBar bar(String task) {
    return new ProgressBar(task, true, terminal(), lines());
  }

  /**
   * Creates a progress bar for steps; without a terminal it prints lines.
   *
   * @param task its title
   * @return the bar; close it before anything else is printed
   */
  public ProgressBar stepBar(String task) {
    return new ProgressBar(task, false, terminal(), lines());
  }

  private @Nullable Consumer<String> lines() {
    return quiet ? null : line -> message("%s", line);
  }

  private @Nullable PrintWriter terminal() {
    return console().interactive() && !quiet ? console().err() : null;
  }

  /**
   * Counts things in words.
   *
   * @param number how many
   * @param thing a noun in the singular
   * @return such as {@code 1 layer} or {@code 2 layers}
   */
  public static String count(long number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  /**
   * Formats a size for people.
   *
   * @param bytes how many bytes
   * @return such as {@code 30.4 KB}
   */
  public static String bytes(long bytes) {
    String[] units = {"B", "KB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return unit == 0
        ? bytes + " B"
        : String.format(Locale.ROOT, value < 99.5 ? "%.1f %s" : "%.0f %s", value, units[unit]);
  }
}
