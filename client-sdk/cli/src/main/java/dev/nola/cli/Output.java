package dev.nola.cli;

import dev.nola.api.json.NolaModule;
import dev.nola.client.Progress;
import dev.nola.client.registry.Credentials;
import dev.nola.client.registry.LocalCache;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What every command has: how it prints its result, and what it tells meanwhile. */
final class Output {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .addModule(new NolaModule())
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();
  private static final int BAR_WIDTH = 80;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "No progress and no messages, only results and errors.")
  private boolean quiet;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  Console console() {
    return ((Main) command.root().userObject()).console();
  }

  /** An environment variable; empty if there is none. */
  String environment(String name) {
    return console().environment().getOrDefault(name, "");
  }

  /** The user's tokens. */
  Credentials credentials() {
    return Credentials.of(console().environment());
  }

  /** The user's cache. */
  LocalCache cache() {
    return LocalCache.of(console().environment());
  }

  CommandSpec command() {
    return command;
  }

  boolean isJson() {
    return json;
  }

  /**
   * Prints a result.
   *
   * @param value what {@code --json} prints
   * @param text prints the same for people
   */
  void print(Object value, Consumer<PrintWriter> text) {
    if (json) {
      console().out().println(JSON.writeValueAsString(value));
    } else {
      PrintWriter out = PrintableWriter.on(console().out());
      text.accept(out);
      out.flush();
    }
  }

  /** Says something that is not the result. */
  void message(String format, Object... values) {
    if (!quiet) {
      PrintableWriter.on(console().err()).println(format.formatted(values));
    }
  }

  /** Says what the user should know, which a script may ignore. */
  void warn(String warning) {
    message("warning: %s", warning);
  }

  /** A bar for bytes, drawn on a terminal only; close it before anything else is said. */
  Bar bar(String task) {
    return new Bar(task, console().interactive() && !quiet ? console().err() : null);
  }

  /** Rows of columns, as wide as their widest cell. */
  static void table(PrintWriter out, List<List<String>> rows) {
    int columns = rows.isEmpty() ? 0 : rows.getFirst().size();
    int[] width = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        width[i] = Math.max(width[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i));
        line.repeat(' ', i < columns - 1 ? width[i] - row.get(i).length() + 2 : 0);
      }
      out.println(line.toString().stripTrailing());
    }
  }

  /** A number of things, such as {@code 1 layer} or {@code 2 layers}. */
  static String count(long number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  /** A number of bytes as people read it, such as {@code 30.4 KB}. */
  static String bytes(long bytes) {
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

  /** Draws progress; the first report makes it appear. */
  static final class Bar implements Progress, AutoCloseable {
    private final String task;
    private final @Nullable PrintWriter to;
    private @Nullable ProgressBar bar;

    private Bar(String task, @Nullable PrintWriter to) {
      this.task = task;
      this.to = to;
    }

    @Override
    public synchronized void at(long done, long total) {
      if (to == null) {
        return;
      }
      ProgressBar drawn = bar;
      if (drawn == null) {
        drawn =
            new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setUnit(" MB", 1_000_000)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, BAR_WIDTH))
                .build();
        bar = drawn;
      }
      drawn.maxHint(total);
      drawn.stepTo(done);
    }

    private void draw(String line) {
      if (to != null) {
        to.print("\r" + line);
        to.flush();
      }
    }

    @Override
    public synchronized void close() {
      if (bar != null && to != null) {
        bar.close();
        to.print("\r\033[K");
        to.flush();
        bar = null;
      }
    }
  }
}
