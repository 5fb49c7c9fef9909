package dev.nola.cli.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Jobs and their events as people read them. */
class JobTextsTest {
  private final List<String> lines = new ArrayList<>();

  private static String state(JobState state) {
    JobDetails job =
        new JobDetails(
            new UUID(0, 1),
            JobType.VERIFY,
            state,
            0,
            "acme",
            new JobRequest(null, new JobRequest.Verify("acme/mood", "1.0.0", "scalar")),
            true,
            1,
            3,
            null,
            null,
            null,
            null,
            null,
            "ann",
            Instant.EPOCH,
            Instant.EPOCH,
            null,
            null);
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    JobTexts.details(job).print(out);
    out.flush();
    return text.toString().lines().filter(line -> line.startsWith("state")).findFirst().orElse("");
  }

  @Test
  void onlyARunningJobIsToBeCancelled() {
    assertThat(state(JobState.RUNNING)).endsWith("running, to be cancelled");
    assertThat(state(JobState.CANCELLED)).endsWith("cancelled");
  }

  private static JobEvent event(
      JobEvent.Kind kind,
      @Nullable JobProgress progress,
      @Nullable String name,
      @Nullable Long step,
      @Nullable Double value) {
    return new JobEvent(1, kind, Instant.EPOCH, null, "trains", progress, name, step, value, null);
  }

  private static JobEvent metric(String name, long step, double value) {
    return event(JobEvent.Kind.METRIC, null, name, step, value);
  }

  private static JobEvent progress(long step) {
    return event(JobEvent.Kind.PROGRESS, new JobProgress(step, 40, 0.25), null, null, null);
  }

  @Test
  void eventsOfOneStepAreOneLine() {
    EventLines printed = new EventLines(line -> lines.add(line.substring(21)));
    printed.add(event(JobEvent.Kind.LOG, null, null, null, null));
    printed.add(metric("loss", 10, 0.5));
    printed.add(metric("loss", 20, 0.25));
    printed.add(metric("validation loss", 20, 0.375));
    printed.add(progress(20));
    printed.add(progress(25));
    printed.add(progress(25));
    printed.add(metric("loss", 30, 0.125));
    printed.finish();

    assertThat(lines)
        .containsExactly(
            "trains",
            "step 10: loss 0.500000",
            "step 20: loss 0.250000, validation loss 0.375000",
            "25 of 40, loss 0.2500",
            "step 30: loss 0.125000");
  }
}
