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
 * Wakes requests that wait for jobs. They query the database now and then, for changes made by
 * other replicas; this wakes them earlier for changes made here, and when the server stops.
 */
@Component
class QueueSignal {
  private final Lock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long round;
  private boolean ending;

  /** Returns how often jobs were queued; to be read before looking for jobs. */
  long round() {
    lock.lock();
    try {
      return round;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until jobs were queued after a round, the server stops, or a time has passed. */
  void await(long seenRound, Duration timeout) {
    lock.lock();
    try {
      long nanos = timeout.toNanos();
      while (round == seenRound && !ending && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a time, or until the server stops. */
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

  /** Wakes all waiting requests, so that the server need not wait for them when it stops. */
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
