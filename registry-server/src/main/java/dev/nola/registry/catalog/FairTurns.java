package dev.nola.registry.catalog;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Grants a limited number of turns at a time. Accounts that wait take turns, one each; within an
 * account, the first to come goes first. So however much work an account has, another waits for one
 * turn of each account at most.
 */
final class FairTurns {
  private final ReentrantLock lock = new ReentrantLock();

  /** Those who wait, by account; the account whose turn is next comes first. */
  private final Map<String, Deque<Waiter>> waiting = new LinkedHashMap<>();

  private int free;

  /** Creates turns, {@code atOnce} of which can be held at one time. */
  FairTurns(int atOnce) {
    this.free = atOnce;
  }

  private static final class Waiter {
    final Condition granted;
    boolean isGranted;

    Waiter(Condition granted) {
      this.granted = granted;
    }
  }

  /**
   * Waits for a turn.
   *
   * @param account that does the work
   * @param patience how long to wait
   * @return whether the caller has a turn now, and must {@link #release} it
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  boolean acquire(String account, Duration patience) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (free > 0) {
        free--;
        return true;
      }
      Waiter waiter = new Waiter(lock.newCondition());
      waiting.computeIfAbsent(account, _ -> new ArrayDeque<>()).add(waiter);
      try {
        long left = patience.toNanos();
        while (!waiter.isGranted && left > 0) {
          left = waiter.granted.awaitNanos(left);
        }
        return waiter.isGranted;
      } catch (InterruptedException e) {
        if (waiter.isGranted) {
          grantNext();
        }
        throw e;
      } finally {
        if (!waiter.isGranted) {
          forget(account, waiter);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives a turn back. */
  void release() {
    lock.lock();
    try {
      grantNext();
    } finally {
      lock.unlock();
    }
  }

  private void grantNext() {
    if (waiting.isEmpty()) {
      free++;
      return;
    }
    Map.Entry<String, Deque<Waiter>> next = waiting.entrySet().iterator().next();
    Deque<Waiter> queue = next.getValue();
    Waiter waiter = queue.remove();
    waiting.remove(next.getKey());
    if (!queue.isEmpty()) {
      waiting.put(next.getKey(), queue); // behind the other accounts
    }
    waiter.isGranted = true;
    waiter.granted.signal();
  }

  private void forget(String account, Waiter waiter) {
    waiting.computeIfPresent(
        account,
        (_, queue) -> {
          queue.remove(waiter);
          return queue.isEmpty() ? null : queue;
        });
  }
}
