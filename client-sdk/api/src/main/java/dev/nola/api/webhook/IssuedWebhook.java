package dev.nola.api.webhook;

/**
 * A new webhook with its secret.
 *
 * @param webhook the webhook
 * @param secret key of the signatures, {@code whsec_…} as Standard Webhooks write it; shown only
 *     this once
 */
public record IssuedWebhook(Webhook webhook, String secret) {
  @Override
  public String toString() {
    return "IssuedWebhook[" + webhook + "]"; // secrets do not belong into logs
  }
}
