package dev.nola.demo;

import dev.nola.api.job.JobProgress;
import java.io.PrintWriter;
import java.util.Locale;

/** Reports what the demo does: a line for each step, and on a terminal the progress of training. */
final class Narrator {
  private static final int LINES_A_TRAINING = 6;

  private final PrintWriter out;
  private final boolean interactive;
  private final long start = System.nanoTime();
  private long shown;

  /**
   * @param out receives the lines
   * @param interactive whether it is a terminal
   */
  Narrator(PrintWriter out, boolean interactive) {
    this.out = out;
    this.interactive = interactive;
  }

  PrintWriter out() {
    return out;
  }

  void step(String title) {
    shown = 0;
    out.printf(Locale.ROOT, "[%4d s] %s%n", (System.nanoTime() - start) / 1_000_000_000, title);
    out.flush();
  }

  void line(String text) {
    endLine();
    out.println("         " + text);
    out.flush();
  }

  void progress(JobProgress progress) {
    String loss =
        progress.loss() == null ? "" : String.format(Locale.ROOT, ", loss %.3f", progress.loss());
    String line = "step %d of %d%s".formatted(progress.done(), progress.total(), loss);
    if (interactive) {
      out.print("\r\033[K         " + line);
      shown = 1;
    } else if (progress.done() >= shown) {
      out.println("         " + line);
      shown = progress.done() + Math.max(1, progress.total() / LINES_A_TRAINING);
    }
    out.flush();
  }

  /** Ends a line that was drawn over. */
  void endLine() {
    if (interactive && shown > 0) {
      out.print("\r\033[K");
      shown = 0;
    }
  }

  void table(Measurements measurements) {
    out.println();
    measurements.print(out);
    out.println();
    out.flush();
  }
}
