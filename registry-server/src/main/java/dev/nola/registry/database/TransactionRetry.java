package dev.nola.registry.database;

import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Repeats transactions that PostgreSQL rolled back because of others. Locks are taken in one order,
 * so this should be rare; each time is logged and counted.
 */
final class TransactionRetry {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionRetry.class);
  private static final Map<String, String> RETRYABLE =
      Map.of("40P01", "deadlock", "40001", "serialization failure");
  private static final int MAX_ATTEMPTS = 5;
  private static final int FIRST_WAIT_MILLIS = 20;

  private final MeterRegistry meters;

  TransactionRetry(MeterRegistry meters) {
    this.meters = meters;
    for (String state : RETRYABLE.keySet()) {
      count(state, 0); // there from the start, so that it can be watched
    }
  }

  /** A transaction from its begin to its commit; can be run again after a rollback. */
  interface Attempt<T extends @Nullable Object, E extends Throwable> {
    T run() throws E;
  }

  /** Runs a transaction, again if PostgreSQL chose it as a victim; inner ones run just once. */
  <T extends @Nullable Object, E extends Throwable> T run(Attempt<T, E> attempt) throws E {
    if (TransactionSynchronizationManager.isActualTransactionActive()) {
      return attempt.run(); // only the outermost transaction can be repeated
    }
    for (int number = 1; ; number++) {
      try {
        return attempt.run();
      } catch (RuntimeException e) {
        String state = state(e);
        if (state == null) {
          throw e;
        }
        LOG.warn(
            "transaction rolled back by PostgreSQL: {} ({}), attempt {} of {}: {}",
            state,
            RETRYABLE.get(state),
            number,
            MAX_ATTEMPTS,
            reason(e));
        count(state, 1);
        if (number == MAX_ATTEMPTS || !pause(number)) {
          throw e;
        }
      }
    }
  }

  private void count(String state, int times) {
    meters.counter("nola.transactions.rolledback", "sqlstate", state).increment(times);
  }

  private static @Nullable String state(Throwable failure) {
    SQLException cause = sqlException(failure);
    return cause != null && RETRYABLE.containsKey(String.valueOf(cause.getSQLState()))
        ? cause.getSQLState()
        : null;
  }

  private static @Nullable String reason(Throwable failure) {
    SQLException cause = sqlException(failure);
    return cause == null ? null : String.valueOf(cause.getMessage()).replaceAll("\\s*\\n\\s*", " ");
  }

  private static @Nullable SQLException sqlException(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException found) {
        return found;
      }
    }
    return null;
  }

  /** Waits for a random time, so that the same two do not meet again. */
  private static boolean pause(int number) {
    try {
      Thread.sleep(ThreadLocalRandom.current().nextLong(1, (long) FIRST_WAIT_MILLIS << number));
      return true;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
