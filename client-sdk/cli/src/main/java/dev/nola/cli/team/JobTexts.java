package dev.nola.cli.team;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.WaitingReason;
import dev.nola.command.Output;
import dev.nola.command.Table;
import dev.nola.text.Label;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Jobs as people read them. */
final class JobTexts {
  private JobTexts() {}

  /** Returns a table of jobs, a line each. */
  static Table table(List<JobDetails> jobs) {
    Table table = new Table("ID", "TYPE", "STATE", "ADAPTER", "WORKER", "CREATED", "DETAIL");
    for (JobDetails job : jobs) {
      table.row(
          job.id().toString(),
          Label.of(job.type()),
          Label.of(job.state()),
          adapter(job.request().work()),
          Objects.requireNonNullElse(job.worker(), ""),
          Texts.ago(job.createdAt()),
          detail(job).lines().findFirst().orElse(""));
    }
    return table;
  }

  /** Returns why a job waits; empty if it does not. */
  static List<WaitingReason> waiting(JobDetails job) {
    return job.waiting() == null ? List.of() : job.waiting();
  }

  private static String detail(JobDetails job) {
    if (!waiting(job).isEmpty()) {
      return waiting(job).stream()
          .map(reason -> Label.of(reason.kind()))
          .collect(Collectors.joining(", ", "waits: ", ""));
    }
    if (job.reason() != null) {
      return job.reason();
    }
    return job.progress() == null ? "" : EventLines.text(job.progress());
  }

  private static String adapter(JobRequest.Work work) {
    return switch (work) {
      case JobRequest.Train train -> train.adapter() + "@" + train.version();
      case JobRequest.Verify verify -> verify.adapter() + "@" + verify.version();
      case JobRequest.Export export -> export.adapter() + "@" + export.version();
    };
  }

  /** Returns a table of all there is to know about a job. */
  static Table details(JobDetails job) {
    Table table =
        new Table()
            .row("job", job.id().toString())
            .row("type", Label.of(job.type()))
            .row(
                "state",
                Label.of(job.state())
                    + (job.cancelRequested() && !job.state().isEnd() ? ", to be cancelled" : ""))
            .row("adapter", adapter(job.request().work()));
    switch (job.request().work()) {
      case JobRequest.Train train -> {
        add(table, "model", train.model());
        add(table, "dataset", train.dataset());
      }
      case JobRequest.Verify verify -> add(table, "backend", verify.backend());
      case JobRequest.Export export -> add(table, "model", export.model());
    }
    waiting(job).forEach(reason -> table.row("waits", reason.message()));
    add(table, "reason", job.reason());
    add(table, "progress", job.progress() == null ? null : EventLines.text(job.progress()));
    add(table, "worker", job.worker());
    table.row("attempts", job.attempts() + " of " + job.maxAttempts());
    table.row("priority", Integer.toString(job.priority()));
    table.row("created", Texts.time(job.createdAt()) + " by " + job.createdBy());
    add(table, "started", Texts.time(job.startedAt()));
    add(table, "finished", Texts.time(job.finishedAt()));
    if (job.result() != null) {
      add(table, "outcome", job.result().outcome());
      add(
          table,
          "result",
          job.result().digest() == null || job.result().size() == null
              ? null
              : job.result().digest() + ", " + Output.bytes(job.result().size()));
      if (job.result().metrics() != null) {
        job.result().metrics().forEach((name, value) -> table.row(name, value.toString()));
      }
    }
    return table;
  }

  private static void add(Table table, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      table.row(name, value);
    }
  }
}
