package dev.nola.api.webhook;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request for a new webhook.
 *
 * @param url where to send events
 * @param events what to subscribe to; null for everything
 */
public record WebhookRequest(String url, @Nullable List<WebhookEvent> events) {
  /**
   * Checks that the URL is there.
   *
   * @throws NullPointerException if it is missing
   */
  public WebhookRequest {
    Objects.requireNonNull(url, "url is missing");
  }
}
