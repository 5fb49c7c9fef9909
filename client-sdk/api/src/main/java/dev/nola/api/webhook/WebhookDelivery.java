package dev.nola.api.webhook;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way to a webhook. It has nine components because JSON has them side by side.
 *
 * @param id the same in the header {@code webhook-id} of every attempt
 * @param event what happened
 * @param state how far it is
 * @param createdAt time of the event
 * @param attempts number of requests that were sent
 * @param lastAttemptAt time of the last one, or null if there was none
 * @param nextAttemptAt time of the next one at the earliest, or null if there will be none
 * @param responseStatus status of the last response, or null if none came
 * @param error why the last attempt failed, or null
 */
public record WebhookDelivery(
    UUID id,
    WebhookEvent event,
    State state,
    Instant createdAt,
    int attempts,
    @Nullable Instant lastAttemptAt,
    @Nullable Instant nextAttemptAt,
    @Nullable Integer responseStatus,
    @Nullable String error) {
  /** How far a delivery is. */
  public enum State {
    /** Will be sent, or sent again. */
    @JsonProperty("pending")
    PENDING,
    /** Answered with a status of 200 to 299. */
    @JsonProperty("delivered")
    DELIVERED,
    /** Given up. */
    @JsonProperty("failed")
    FAILED
  }
}
