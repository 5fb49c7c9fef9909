package dev.nola.api.webhook;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A change of a webhook; null leaves a value as it is.
 *
 * @param url where to send events, or null
 * @param events what to subscribe to, or null
 * @param active whether to send events, or null
 */
public record WebhookChange(
    @Nullable String url, @Nullable List<WebhookEvent> events, @Nullable Boolean active) {}
