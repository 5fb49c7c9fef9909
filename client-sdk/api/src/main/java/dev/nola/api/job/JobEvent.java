package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened to a job. As server-sent events ({@code id} and {@code event} as here,
 * the record as {@code data}).
 *
 * @param id grows within a job
 * @param state of a {@code state}
 * @param message a log line, or the reason of a state
 * @param progress of a {@code progress}
 * @param name of a {@code metric}
 * @param step of a {@code metric}
 * @param value of a {@code metric}
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
    @Nullable Double value) {

  /** What happened. */
  public enum Kind {
    @JsonProperty("state")
    STATE,
    @JsonProperty("progress")
    PROGRESS,
    @JsonProperty("log")
    LOG,
    @JsonProperty("metric")
    METRIC
  }
}
