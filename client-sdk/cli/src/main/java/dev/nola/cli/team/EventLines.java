package dev.nola.cli.team;

import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobProgress;
import dev.nola.text.Label;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Prints the events of a job for people: one line for each training step, even if several events
 * report it.
 */
final class EventLines {
  private final Consumer<String> out;
  private final StringBuilder metrics = new StringBuilder(); // of the step, not printed yet
  private @Nullable Long step; // of the last line about a step
  private Instant measured = Instant.EPOCH;

  EventLines(Consumer<String> out) {
    this.out = out;
  }

  /**
   * Prints an event; metrics only with the next event, which may add to them.
   *
   * @param event the event after the last one
   */
  void add(JobEvent event) {
    String message = event.message() == null ? "" : event.message();
    if (event.event() != JobEvent.Kind.METRIC) {
      finish();
    }
    switch (event.event()) {
      case STATE ->
          print(
              event.at(),
              (event.state() == null ? "" : Label.of(event.state()))
                  + (message.isEmpty() ? "" : ": " + message));
      case LOG -> print(event.at(), message);
      case WAITING -> print(event.at(), "waiting: " + message);
      case PROGRESS -> {
        JobProgress progress = event.progress();
        if (progress != null && !Objects.equals(step, progress.done())) {
          step = progress.done();
          print(event.at(), text(progress));
        }
      }
      case METRIC -> addMetric(event);
    }
  }

  private void addMetric(JobEvent event) {
    if (metrics.isEmpty() || !Objects.equals(step, event.step())) {
      finish();
      step = event.step();
      measured = event.at();
      metrics.append("step ").append(event.step()).append(": ");
    } else {
      metrics.append(", ");
    }
    metrics.append(String.format(Locale.ROOT, "%s %.6g", event.name(), event.value()));
  }

  /** Prints the metrics that wait for another event of their step. */
  void finish() {
    if (!metrics.isEmpty()) {
      print(measured, metrics.toString());
      metrics.setLength(0);
    }
  }

  private void print(Instant at, String line) {
    out.accept(at.truncatedTo(ChronoUnit.SECONDS) + " " + line);
  }

  /** Returns progress as one line. */
  static String text(JobProgress progress) {
    return "%d of %d".formatted(progress.done(), progress.total())
        + (progress.loss() == null
            ? ""
            : String.format(Locale.ROOT, ", loss %.4f", progress.loss()));
  }
}
