package dev.nola.api.job;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A heartbeat: a report that a worker still runs a job.
 *
 * @param fence fencing number of the lease
 * @param progress progress so far, or null
 * @param log lines since the last heartbeat, at most 200 of at most 2,000 characters each
 * @param metrics numbers since the last heartbeat, at most 1,000
 */
public record Heartbeat(
    long fence, @Nullable JobProgress progress, List<String> log, List<Metric> metrics) {

  /** Copies the lists. */
  public Heartbeat {
    log = List.copyOf(Objects.requireNonNull(log, "log is missing"));
    metrics = List.copyOf(Objects.requireNonNull(metrics, "metrics is missing"));
  }

  /**
   * A number measured after a training step.
   *
   * @param name name of the number
   * @param step the step
   * @param value the number
   */
  public record Metric(String name, long step, double value) {
    /**
     * Checks that there is a name.
     *
     * @throws NullPointerException if it is missing
     */
    public Metric {
      Objects.requireNonNull(name, "name is missing");
    }
  }
}
