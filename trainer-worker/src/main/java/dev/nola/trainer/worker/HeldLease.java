package dev.nola.trainer.worker;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.Lease;
import dev.nola.client.RegistryException;
import dev.nola.client.jobs.WorkerClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job that this worker has: sends its heartbeats until it is closed. While the registry is
 * unreachable the work continues; the first heartbeat that is answered then tells whether the job
 * is still this worker's.
 */
final class HeldLease implements AutoCloseable {
  private static final int MAX_LINES = 200;
  private static final int MAX_LINE = 2_000;
  private static final int MAX_METRICS = 1_000;

  private final WorkerClient client;
  private final Outage outage;
  private final Lease lease;
  private final Thread heart;
  private final Deque<String> lines = new ArrayDeque<>();
  private final Deque<Heartbeat.Metric> metrics = new ArrayDeque<>();
  private @Nullable JobProgress progress;
  private State state = State.HELD;
  private @Nullable Runnable whenOver;
  private boolean closed;

  /** State of a lease. */
  enum State {
    /** This worker's. */
    HELD,
    /** This worker's, which is to end it. */
    CANCELLED,
    /** Another worker's, or nobody's: nothing about it may be sent any more. */
    LOST
  }

  /**
   * Starts to send heartbeats.
   *
   * @param client client for short requests
   * @param outage learns from the heartbeats
   * @param lease the lease
   */
  HeldLease(WorkerClient client, Outage outage, Lease lease) {
    this.client = client;
    this.outage = outage;
    this.lease = lease;
    this.heart = Thread.ofVirtual().name("heartbeat " + lease.job().id()).start(this::beat);
  }

  Lease lease() {
    return lease;
  }

  UUID job() {
    return lease.job().id();
  }

  long fence() {
    return lease.fence();
  }

  /**
   * Returns what to verify.
   *
   * @throws ClassCastException if the job is not a verification
   */
  JobRequest.Verify verification() {
    return (JobRequest.Verify) lease.job().request().work();
  }

  synchronized State state() {
    return state;
  }

  /**
   * Sets what runs, on another thread, as soon as the job is cancelled or lost; at once if it is.
   * Never runs after {@link #close}.
   */
  synchronized void whenOver(Runnable action) {
    whenOver = action;
    if (state != State.HELD) {
      action.run();
    }
  }

  /** Adds a line for those who follow the job. Drops the oldest when there are too many. */
  synchronized void log(String line) {
    lines.add(line.length() <= MAX_LINE ? line : line.substring(0, MAX_LINE - 1) + "…");
    if (lines.size() > MAX_LINES) {
      lines.remove();
    }
  }

  /** Adds a number for those who follow the job. */
  synchronized void metric(String name, long step, double value) {
    if (!Double.isFinite(value)) {
      return; // JSON has no such number
    }
    metrics.add(new Heartbeat.Metric(name, step, value));
    if (metrics.size() > MAX_METRICS) {
      metrics.remove();
    }
  }

  synchronized void progress(long step, long steps, double loss) {
    progress = new JobProgress(step, steps, Double.isFinite(loss) ? loss : null);
  }

  private void beat() {
    long answered = System.nanoTime();
    try {
      while (state() != State.LOST) {
        Thread.sleep(Duration.ofSeconds(Math.max(1, lease.heartbeatSeconds())));
        if (send()) {
          answered = System.nanoTime();
        } else if (System.nanoTime() - answered > Registry.MAX_OUTAGE.toNanos()) {
          end(State.LOST);
        }
      }
    } catch (InterruptedException _) {
      // It is closed.
    }
  }

  /** Sends at once what the next heartbeat would, if the registry is reachable. */
  void flush() throws InterruptedException {
    send();
  }

  private boolean send() throws InterruptedException {
    Heartbeat heartbeat = next();
    try {
      HeartbeatAnswer answer = outage.watch(() -> client.heartbeat(job(), heartbeat));
      if (answer.cancel()) {
        end(State.CANCELLED);
      }
      return true;
    } catch (IOException e) {
      boolean gone =
          e instanceof RegistryException refusal
              && refusal.kind() == RegistryException.Kind.NOT_FOUND;
      if (gone || WorkerClient.isLeaseLost(e)) {
        end(State.LOST);
        return true;
      }
      putBack(heartbeat);
      return false;
    }
  }

  private synchronized Heartbeat next() {
    Heartbeat heartbeat =
        new Heartbeat(lease.fence(), progress, new ArrayList<>(lines), new ArrayList<>(metrics));
    lines.clear();
    metrics.clear();
    return heartbeat;
  }

  private synchronized void putBack(Heartbeat heartbeat) {
    List<String> newer = List.copyOf(lines);
    List<Heartbeat.Metric> newerMetrics = List.copyOf(metrics);
    lines.clear();
    metrics.clear();
    heartbeat.log().forEach(this::log);
    newer.forEach(this::log);
    heartbeat.metrics().forEach(each -> metric(each.name(), each.step(), each.value()));
    newerMetrics.forEach(each -> metric(each.name(), each.step(), each.value()));
  }

  private synchronized void end(State next) {
    if (closed || state == next || state == State.LOST) {
      return;
    }
    state = next;
    if (whenOver != null) {
      whenOver.run();
    }
  }

  /** Marks the job as lost, which another answer than a heartbeat's has shown. */
  void lost() {
    end(State.LOST);
  }

  /** Ends the heartbeats. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    heart.interrupt();
  }
}
