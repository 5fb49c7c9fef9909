package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A reason why no worker has taken a queued job yet.
 *
 * @param kind kind of reason, for programs
 * @param message reason and remedy in a sentence
 * @param workers names of the workers that cannot take the job for this reason; empty for {@link
 *     Kind#NO_WORKER} and {@link Kind#BACKOFF}
 */
public record WaitingReason(Kind kind, String message, List<String> workers) {
  /** Copies the list. */
  public WaitingReason {
    workers = List.copyOf(workers);
  }

  /** A kind of reason. */
  public enum Kind {
    /** No worker is running. */
    @JsonProperty("no-worker")
    NO_WORKER,
    /** The tokens of workers are limited to other namespaces. */
    @JsonProperty("namespace")
    NAMESPACE,
    /** The registry does not store the model, and workers do not have this revision of it. */
    @JsonProperty("model")
    MODEL,
    /** Workers lack the backend of a verification. */
    @JsonProperty("backend")
    BACKEND,
    /** Workers lack a GPU. */
    @JsonProperty("cuda")
    CUDA,
    /** Workers offer less memory than the job may use. */
    @JsonProperty("memory")
    MEMORY,
    /** Keys of workers are not approved, or must not verify this file again. */
    @JsonProperty("key")
    KEY,
    /** The workers that can run the job are running others. */
    @JsonProperty("busy")
    BUSY,
    /** The job pauses after a failure before its next attempt. */
    @JsonProperty("backoff")
    BACKOFF
  }
}
