package dev.nola.trainer.worker;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobProgress;
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
 * A job that this worker has: sends its heartbeats until it is closed. While the registry cannot be
 * reached the work goes on; whether the job is still this worker's is then for the first heartbeat
 * to say that is answered.
 */
final class HeldLease implements AutoCloseable {
  private static final int MAX_LINES = 200;
  private static final int MAX_LINE = 2_000;
  private static final int MAX_METRICS = 1_000;

  private final WorkerClient client;
  private final Lease lease;
  private final Duration patience;
  private final Thread heart;
  private final Deque<String> lines = new ArrayDeque<>();
  private final Deque<Heartbeat.Metric> metrics = new ArrayDeque<>();
  private @Nullable JobProgress progress;
  private State state = State.HELD;
  private @Nullable Runnable whenOver;
  private boolean closed;

  /** Whose the job is. */
  enum State {
    /** This worker's. */
    HELD,
    /** This worker's, who shall end it. */
    CANCELLED,
    /** Somebody else's, or nobody's: nothing about it may be sent any more. */
    LOST
  }

  /**
   * Starts to send heartbeats.
   *
   * @param patience how long the registry may be out of reach until the job is given up
   */
  HeldLease(WorkerClient client, Lease lease, Duration patience) {
    this.client = client;
    this.lease = lease;
    this.patience = patience;
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

  synchronized State state() {
    return state;
  }

  /**
   * Has something run as soon as the job is to end or is lost, from another thread; at once if it
   * is. Never after {@link #close}.
   */
  synchronized void whenOver(Runnable action) {
    whenOver = action;
    if (state != State.HELD) {
      action.run();
    }
  }

  /** A line for those who follow the job. The oldest are dropped when there are too many. */
  synchronized void log(String line) {
    lines.add(line.length() <= MAX_LINE ? line : line.substring(0, MAX_LINE - 1) + "…");
    if (lines.size() > MAX_LINES) {
      lines.remove();
    }
  }

  /** A number for those who follow the job. */
  synchronized void metric(String name, long step, double value) {
    if (!Double.isFinite(value)) {
      return; // JSON has no such number
    }
    metrics.add(new Heartbeat.Metric(name, step, value));
    if (metrics.size() > MAX_METRICS) {
      metrics.remove();
    }
  }

  synchronized void progress(long done, long total, double loss) {
    progress = new JobProgress(done, total, Double.isFinite(loss) ? loss : null);
  }

  private void beat() {
    long answered = System.nanoTime();
    try {
      while (state() != State.LOST) {
        Thread.sleep(Duration.ofSeconds(Math.max(1, lease.heartbeatSeconds())));
        if (send()) {
          answered = System.nanoTime();
        } else if (System.nanoTime() - answered > patience.toNanos()) {
          end(State.LOST);
        }
      }
    } catch (InterruptedException _) {
      // It is closed.
    }
  }

  /** Sends at once what there is to say, as far as the registry can be reached. */
  void flush() throws InterruptedException {
    send();
  }

  private boolean send() throws InterruptedException {
    Heartbeat heartbeat = next();
    try {
      HeartbeatAnswer answer = client.heartbeat(job(), heartbeat);
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

  private synchronized void end(State how) {
    if (closed || state == how || state == State.LOST) {
      return;
    }
    state = how;
    if (whenOver != null) {
      whenOver.run();
    }
  }

  /** Says that the job is lost, as something else than a heartbeat has found out. */
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
