package dev.nola.cli.team;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobState;
import dev.nola.client.jobs.JobsClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Prints the events of a job, as they happen or those so far. */
final class JobFollower {
  /** Between two streams, of which the registry ended the first. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final JobsClient jobs;
  private final Output output;
  private final List<JobEvent> events = new ArrayList<>();
  private final EventLines lines;

  JobFollower(JobsClient jobs, Output output) {
    this.jobs = jobs;
    this.output = output;
    this.lines = new EventLines(output::log);
  }

  /**
   * Prints events until the job has ended; with {@code --json}, all of them as one list then.
   *
   * @param id of the job
   * @return {@link ExitCode#OK} if the job succeeded, else {@link ExitCode#REFUSED}
   */
  int follow(UUID id) throws IOException, InterruptedException {
    long last = 0;
    JobDetails job;
    while (true) {
      last = jobs.follow(id, last, this::receive);
      lines.finish();
      job = jobs.get(id);
      if (job.state().isEnd()) {
        break;
      }
      Thread.sleep(PAUSE);
    }
    output.print(events, _ -> {});
    return job.state() == JobState.SUCCEEDED ? ExitCode.OK : ExitCode.REFUSED;
  }

  /** Prints the events so far, and why the job waits if it does. */
  int printSoFar(UUID id) throws IOException, InterruptedException {
    jobs.events(id, this::receive);
    lines.finish();
    output.print(events, _ -> {});
    JobTexts.waiting(jobs.get(id))
        .forEach(reason -> output.message("waiting: %s", reason.message()));
    return ExitCode.OK;
  }

  private void receive(JobEvent event) {
    if (output.isJson()) {
      events.add(event);
    } else {
      lines.add(event);
    }
  }
}
