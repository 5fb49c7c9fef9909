package dev.nola.command;

import dev.nola.client.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.Consumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Draws progress on a terminal; without one, prints a line from time to time. The first update
 * makes the bar appear; close it before anything else is printed.
 */
public final class ProgressBar implements Progress, AutoCloseable {
  private static final int WIDTH = 90;

  /** Time between lines, in nanoseconds; what takes less prints none. */
  private static final long LINE_INTERVAL = Duration.ofSeconds(30).toNanos();

  private final String task;
  private final boolean isInBytes;
  private final ProgressBarBuilder builder;
  private final @Nullable PrintWriter terminal;
  private final @Nullable Consumer<String> lines;
  private long lastLine = System.nanoTime();
  private me.tongfei.progressbar.@Nullable ProgressBar bar;

  /**
   * Creates a bar that is not visible yet.
   *
   * @param task its title
   * @param isInBytes whether it counts bytes; otherwise it counts steps
   * @param terminal where it is drawn; null without a terminal
   * @param lines receives the lines that are printed without a terminal; null for none
   */
  ProgressBar(
      String task,
      boolean isInBytes,
      @Nullable PrintWriter terminal,
      @Nullable Consumer<String> lines) {
    this.task = task;
    this.isInBytes = isInBytes;
    ProgressBarBuilder bars =
        new ProgressBarBuilder().setTaskName(task).setStyle(ProgressBarStyle.ASCII);
    this.builder = isInBytes ? bars.setUnit(" MB", 1_000_000) : bars;
    this.terminal = terminal;
    this.lines = lines;
  }

  @Override
  public void at(long done, long total) {
    update(done, total, "");
  }

  /**
   * Draws the state of the work.
   *
   * @param done units of work that are done
   * @param total units of work in all
   * @param message shown after the bar; may be empty
   */
  public synchronized void update(long done, long total, String message) {
    if (terminal == null) {
      printLine(done, total, message, System.nanoTime());
      return;
    }
    me.tongfei.progressbar.ProgressBar current = bar;
    if (current == null) {
      current =
          builder
              .setInitialMax(total)
              .startsFrom(Math.max(0, done - 1), Duration.ZERO)
              .setConsumer(new DelegatingProgressBarConsumer(this::draw, WIDTH))
              .build();
      bar = current;
    }
    current.maxHint(total);
    current.setExtraMessage(message);
    current.stepTo(done);
  }

  /**
   * Prints a line if the last one is long ago.
   *
   * @param now the time in nanoseconds
   */
  void printLine(long done, long total, String message, long now) {
    if (lines == null || now - lastLine < LINE_INTERVAL) {
      return;
    }
    lastLine = now;
    String state =
        isInBytes
            ? "%s of %s".formatted(Output.bytes(done), Output.bytes(total))
            : "step %d of %d".formatted(done, total);
    lines.accept("%s: %s%s".formatted(task, state, message.isEmpty() ? "" : "," + message));
  }

  private void draw(String line) {
    if (terminal != null) {
      terminal.print("\r" + line);
      terminal.flush();
    }
  }

  @Override
  public synchronized void close() {
    if (bar != null && terminal != null) {
      bar.close();
      terminal.print("\r\033[K");
      terminal.flush();
      bar = null;
    }
  }
}
