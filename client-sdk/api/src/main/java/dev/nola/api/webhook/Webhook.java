package dev.nola.api.webhook;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A webhook of a namespace, without its secret. It has nine components because JSON has them side
 * by side.
 *
 * @param id name of the webhook; not a secret
 * @param url where the registry sends events
 * @param events what it subscribes to, in the order of the constants
 * @param active whether events are sent
 * @param inactiveReason why not, or null if it is active
 * @param lastDeliveredAt time when an event was last delivered, or null if none was
 * @param changedBy account that created it or was the last to change it
 * @param createdAt time of its creation
 * @param changedAt time of that change
 */
public record Webhook(
    UUID id,
    String url,
    List<WebhookEvent> events,
    boolean active,
    @Nullable String inactiveReason,
    @Nullable Instant lastDeliveredAt,
    String changedBy,
    Instant createdAt,
    Instant changedAt) {}
