package dev.nola.trainer.worker;

import dev.nola.api.attestation.WorkerKey;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Logs the state of the worker's key at its start, and each change of it. */
final class KeyNotices {
  private final Consumer<String> log;
  private WorkerKey.@Nullable State logged;

  /**
   * Creates the notices.
   *
   * @param log receives a line for each change
   */
  KeyNotices(Consumer<String> log) {
    this.log = log;
  }

  /**
   * Tells whether a state is news.
   *
   * @param state as the registry reports it, or null if it does not
   * @return whether another state was logged last
   */
  synchronized boolean isNew(WorkerKey.@Nullable State state) {
    return state != null && state != logged;
  }

  /**
   * Logs a key's state, unless it was logged last.
   *
   * @param key as the registry knows it
   */
  synchronized void log(WorkerKey key) {
    if (logged == null) {
      log.accept("key " + key.fingerprint());
    }
    if (key.state() == logged || logged == null && key.state() == WorkerKey.State.APPROVED) {
      logged = key.state();
      return;
    }
    logged = key.state();
    log.accept(
        switch (key.state()) {
          case APPROVED -> "this key is approved: this worker gets verifications from now on";
          case PENDING ->
              "this key is pending: this worker gets no verifications until an admin approves it with nola key approve "
                  + key.fingerprint();
          case EXPIRED ->
              "the approval of this key has expired: this worker gets no verifications until an admin approves it again with nola key approve "
                  + key.fingerprint();
          case REVOKED ->
              "this key was revoked permanently: %s; this worker gets no verifications: start it with a new key, --key and the path of a file that does not exist yet, and have an admin approve that"
                  .formatted(key.revokeReason());
        });
  }
}
