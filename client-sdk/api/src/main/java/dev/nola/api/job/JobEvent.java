package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An event in a job's life. As server-sent events ({@code id} and {@code event} as here, the record
 * as {@code data}). It has ten components because JSON has them side by side.
 *
 * @param id number of the event; grows within a job
 * @param event kind of event
 * @param at time of the event
 * @param state new state, for a {@code state}
 * @param message log line, or the reason for a state
 * @param progress progress, for a {@code progress}
 * @param name name of the number, for a {@code metric}
 * @param step training step, for a {@code metric}
 * @param value the number, for a {@code metric}
 * @param waiting why the job waits, for a {@code waiting}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record JobEvent(
    long id,
    Kind event,
    Instant at,
    @Nullable JobState state,
    @Nullable String message,
    @Nullable JobProgress progress,
    @Nullable String name,
    @Nullable Long step,
    @Nullable Double value,
    @Nullable List<WaitingReason> waiting) {

  /** A kind of event. */
  public enum Kind {
    @JsonProperty("state")
    STATE,
    @JsonProperty("progress")
    PROGRESS,
    @JsonProperty("log")
    LOG,
    @JsonProperty("metric")
    METRIC,
    /**
     * Reasons why no worker has taken the job yet. Sent when they change, not kept: its id is that
     * of the event before it.
     */
    @JsonProperty("waiting")
    WAITING
  }
}
