package dev.nola.command;

import dev.nola.client.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Draws progress on a terminal. The first update makes it appear; close it before anything else is
 * printed.
 */
public final class ProgressBar implements Progress, AutoCloseable {
  private static final int WIDTH = 90;

  private final ProgressBarBuilder builder;
  private final @Nullable PrintWriter terminal;
  private me.tongfei.progressbar.@Nullable ProgressBar bar;

  private ProgressBar(ProgressBarBuilder builder, @Nullable PrintWriter terminal) {
    this.builder = builder.setStyle(ProgressBarStyle.ASCII);
    this.terminal = terminal;
  }

  /**
   * Creates a bar that counts bytes.
   *
   * @param task its title
   * @param terminal where it is drawn; null to draw nothing
   * @return a bar that is not visible yet
   */
  static ProgressBar ofBytes(String task, @Nullable PrintWriter terminal) {
    return new ProgressBar(
        new ProgressBarBuilder().setTaskName(task).setUnit(" MB", 1_000_000), terminal);
  }

  /**
   * Creates a bar that counts steps.
   *
   * @param task its title
   * @param terminal where it is drawn; null to draw nothing
   * @return a bar that is not visible yet
   */
  static ProgressBar ofSteps(String task, @Nullable PrintWriter terminal) {
    return new ProgressBar(new ProgressBarBuilder().setTaskName(task), terminal);
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
   * @param message shown behind the bar; may be empty
   */
  public synchronized void update(long done, long total, String message) {
    if (terminal == null) {
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
