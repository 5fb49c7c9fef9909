package dev.nola.registry.jobs;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.event.TransactionalEventListener;

/**
 * Requests that wait for something to happen. Whoever waits looks at the database now and then, for
 * what other replicas do; this wakes it sooner for what happens here, and when the server ends.
 */
@Component
class QueueSignal {
  private final Lock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long round;
  private boolean ending;

  /** How often jobs were queued: to be read before one looks for them. */
  long round() {
    lock.lock();
    try {
      return round;
    } finally {
      lock.unlock();
    }
  }

  /** Returns when jobs were queued since a round, the server ends, or after a time. */
  void await(long since, Duration atMost) {
    lock.lock();
    try {
      long nanos = atMost.toNanos();
      while (round == since && !ending && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a time, unless the server ends. */
  void pause(Duration time) {
    lock.lock();
    try {
      long nanos = time.toNanos();
      while (!ending && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  boolean isEnding() {
    lock.lock();
    try {
      return ending || Thread.currentThread().isInterrupted();
    } finally {
      lock.unlock();
    }
  }

  @TransactionalEventListener(fallbackExecution = true)
  void queued(JobsQueued event) {
    lock.lock();
    try {
      round++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Before the server stops: it then need not wait for those who wait. */
  @EventListener
  void ending(ContextClosedEvent event) {
    lock.lock();
    try {
      ending = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
