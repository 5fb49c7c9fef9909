package dev.nola.registry.pages;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.text.Label;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A job as pages show it.
 *
 * @param details as the API shows them
 * @param adapter {@code namespace/name}
 * @param version that it makes, verifies or exports
 * @param mayChange whether the viewer may cancel and retry it
 */
record JobView(JobDetails details, String adapter, String version, boolean mayChange) {
  /**
   * A line of the request.
   *
   * @param name of the setting
   * @param value of the setting
   */
  record Line(String name, String value) {}

  static JobView of(JobDetails details, boolean mayChange) {
    return switch (details.request().work()) {
      case JobRequest.Train train ->
          new JobView(details, train.adapter(), train.version(), mayChange);
      case JobRequest.Verify verify ->
          new JobView(details, verify.adapter(), verify.version(), mayChange);
      case JobRequest.Export export ->
          new JobView(details, export.adapter(), export.version(), mayChange);
    };
  }

  public String type() {
    return Label.of(details.type());
  }

  public String state() {
    return Label.of(details.state());
  }

  /** Returns the name of the adapter within its namespace. */
  public String name() {
    return adapter.substring(adapter.indexOf('/') + 1);
  }

  /** Returns whether the job may still change by itself. */
  public boolean live() {
    return !details.state().isEnd();
  }

  public boolean cancellable() {
    return mayChange && live() && !details.cancelRequested();
  }

  public boolean retryable() {
    return mayChange
        && (details.state() == JobState.FAILED || details.state() == JobState.CANCELLED);
  }

  /** Returns whether the version exists: a training makes it at its end. */
  public boolean hasVersion() {
    return !(details.request().work() instanceof JobRequest.Train)
        || details.state() == JobState.SUCCEEDED;
  }

  /** Returns whether a file is kept: an archive, or an adapter that could not be published. */
  public boolean hasFile() {
    boolean published =
        details.request().work() instanceof JobRequest.Train
            && details.state() == JobState.SUCCEEDED;
    return details.result() != null && details.result().digest() != null && !published;
  }

  /** Returns what a verification found, or null for other jobs and before its end. */
  public @Nullable String outcome() {
    return details.result() == null ? null : details.result().outcome();
  }

  /** Returns how many steps of a hundred are done, or null before the first report. */
  public @Nullable Long percent() {
    JobProgress progress = details.progress();
    if (progress == null || progress.total() <= 0) {
      return null;
    }
    return (long) Math.clamp(100.0 * progress.done() / progress.total(), 0, 100);
  }

  /** Returns what was asked for, a setting a line. */
  public List<Line> request() {
    List<Line> lines = new ArrayList<>();
    switch (details.request().work()) {
      case JobRequest.Train train -> {
        add(lines, "visibility", train.visibility());
        add(lines, "model", train.model());
        add(lines, "dataset", train.dataset());
        add(lines, "GPU", train.cuda() == null ? null : train.cuda() ? "required" : "not required");
        add(lines, "memory in bytes", train.memoryBytes());
        add(lines, "time limit in seconds", train.timeoutSeconds());
        addAll(lines, "", train.job());
      }
      case JobRequest.Verify verify -> add(lines, "backend", verify.backend());
      case JobRequest.Export export -> {
        add(lines, "model", export.model());
        add(lines, "element type", export.elementType());
      }
    }
    add(lines, "priority", details.priority());
    return lines;
  }

  private static void addAll(List<Line> lines, String prefix, Map<?, ?> values) {
    values.forEach(
        (key, value) -> {
          if (value instanceof Map<?, ?> inner) {
            addAll(lines, prefix + key + ".", inner);
          } else {
            add(lines, prefix + key, value);
          }
        });
  }

  private static void add(List<Line> lines, String name, @Nullable Object value) {
    if (value != null) {
      lines.add(new Line(name, value instanceof Enum<?> word ? Label.of(word) : value.toString()));
    }
  }
}
