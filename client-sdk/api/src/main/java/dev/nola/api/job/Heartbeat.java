package dev.nola.api.job;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A worker that still works on a job.
 *
 * @param log lines since the last heartbeat, at most 200 of at most 2,000 characters each
 * @param metrics since the last heartbeat, at most 1,000
 */
public record Heartbeat(
    long fence, @Nullable JobProgress progress, List<String> log, List<Metric> metrics) {

  /** Copies the lists. */
  public Heartbeat {
    log = List.copyOf(Objects.requireNonNull(log, "log is missing"));
    metrics = List.copyOf(Objects.requireNonNull(metrics, "metrics is missing"));
  }

  /** A number that was measured after a training step. */
  public record Metric(String name, long step, double value) {
    /** Insists on a name. */
    public Metric {
      Objects.requireNonNull(name, "name is missing");
    }
  }
}
