package dev.nola.trainer.worker;

import dev.nola.api.job.JobFailure;
import dev.nola.client.jobs.WorkerClient;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Tells the registry of jobs that failed, the user what happens, and counts what came of jobs. */
final class JobReporter {
  private static final Duration FAILURE_TIMEOUT = Duration.ofSeconds(5);

  private final WorkerClient client;
  private final Consumer<String> log;
  private final BooleanSupplier stopped;
  private final JobTally tally = new JobTally();

  /**
   * Creates a reporter.
   *
   * @param client client for short requests
   * @param log receives what happens, a line each
   * @param stopped whether the worker was told to stop
   */
  JobReporter(WorkerClient client, Consumer<String> log, BooleanSupplier stopped) {
    this.client = client;
    this.log = log;
    this.stopped = stopped;
  }

  /** Returns a number of things in words, such as {@code 1 slot} or {@code 2 slots}. */
  static String quantity(int number, String thing) {
    return number + " " + thing + (number == 1 ? "" : "s");
  }

  void log(String line) {
    log.accept(line);
  }

  void log(HeldLease held, String line) {
    log.accept("job %s: %s".formatted(held.job(), line));
  }

  /** Logs a bug in nola, or that the machine has no memory left. */
  void logDefect(String place, Throwable failure) {
    StackTraceElement[] trace = failure.getStackTrace();
    log.accept("%s: %s%s".formatted(place, failure, trace.length == 0 ? "" : " at " + trace[0]));
  }

  /** Logs that a job was taken away: nothing about it may be sent any more. */
  void logLost(HeldLease held) {
    log(held, "lost: it now belongs to another worker");
  }

  void count(long results, boolean accepted) {
    tally.addResults(results, accepted);
  }

  JobCounts counts() {
    return tally.counts();
  }

  /** Reports that a job was cancelled. */
  void cancel(HeldLease held) {
    fail(held, "cancelled", false);
  }

  /** Gives a job back because the worker was stopped. */
  void giveBack(HeldLease held) {
    fail(held, "the worker was stopped", true);
  }

  /** Logs a bug in nola, or that there is no memory left, and reports that it ended a job. */
  void failWithDefect(HeldLease held, Throwable failure) {
    logDefect("job " + held.job(), failure);
    fail(held, "error in the worker: " + failure, true);
  }

  /**
   * Reports that a job was not done, unless it is another worker's by now, and ends its lease.
   *
   * @param reason a sentence for whoever asked for the job
   * @param retryable whether another try may succeed
   */
  void fail(HeldLease held, String reason, boolean retryable) {
    boolean interrupted = Thread.interrupted(); // else nothing could be sent
    tally.addFailure(stopped.getAsBoolean() && retryable);
    log(held, reason);
    JobFailure failure = new JobFailure(held.fence(), reason, retryable);
    try {
      Registry.retry(FAILURE_TIMEOUT, () -> client.fail(held.job(), failure));
    } catch (IOException e) {
      if (!WorkerClient.isLeaseLost(e)) {
        log(held, "failure not reported: " + e.getMessage());
      }
    } catch (InterruptedException _) {
      interrupted = true;
    } finally {
      held.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
