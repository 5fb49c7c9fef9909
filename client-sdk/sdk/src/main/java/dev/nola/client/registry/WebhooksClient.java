package dev.nola.client.registry;

import dev.nola.api.Page;
import dev.nola.api.name.NameRule;
import dev.nola.api.webhook.IssuedWebhook;
import dev.nola.api.webhook.Webhook;
import dev.nola.api.webhook.WebhookChange;
import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookRequest;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Retry;
import dev.nola.client.http.Transport;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;

/**
 * Manages the webhooks of namespaces that the account owns: URLs to which the registry sends
 * events. Of each method, {@code namespace} is the namespace's name, and {@code id} the webhook's.
 *
 * <p>Each throws an {@link IllegalArgumentException} if the namespace breaks its rule, and a {@link
 * RegistryException} of kind {@code NOT_ALLOWED} if the account does not own it, {@code NOT_FOUND}
 * if the webhook does not exist, or of another kind if the registry refuses otherwise or cannot be
 * reached.
 */
public final class WebhooksClient {
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final Transport transport;

  WebhooksClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Creates a webhook. The request is never sent twice: that would create two.
   *
   * @param request the URL and the events
   * @return the webhook with its secret
   * @throws RegistryException of kind {@code CONFLICT} if the namespace has as many as it may
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public IssuedWebhook create(String namespace, WebhookRequest request)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", path(namespace)).with(Content.json(request)).once(),
        new TypeReference<>() {});
  }

  /**
   * Lists the webhooks of a namespace.
   *
   * @return the webhooks, oldest first, without their secrets
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public List<Webhook> list(String namespace) throws IOException, InterruptedException {
    return transport.json(Call.get(path(namespace)), new TypeReference<>() {});
  }

  /**
   * Reads a webhook.
   *
   * @return the webhook, without its secret
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Webhook get(String namespace, UUID id) throws IOException, InterruptedException {
    return transport.json(Call.get(path(namespace, id)), new TypeReference<>() {});
  }

  /**
   * Changes a webhook, but not its secret.
   *
   * @param change new values; null for those to keep
   * @return the webhook
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Webhook change(String namespace, UUID id, WebhookChange change)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PATCH", path(namespace, id)).with(Content.json(change)), new TypeReference<>() {});
  }

  /**
   * Deletes a webhook and its deliveries.
   *
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void delete(String namespace, UUID id) throws IOException, InterruptedException {
    transport.status(Call.of("DELETE", path(namespace, id)).once());
  }

  /**
   * Has the registry send a test to a webhook, and waits until it was sent.
   *
   * @param limit how long to wait
   * @return its delivery, which is pending only if the limit was reached
   * @throws RegistryException of kind {@code CONFLICT} if the webhook is inactive
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WebhookDelivery test(String namespace, UUID id, Duration limit)
      throws IOException, InterruptedException {
    WebhookDelivery ping =
        transport.json(
            Call.of("POST", path(namespace, id) + "/ping").once(), new TypeReference<>() {});
    return Retry.await(
        delivery -> delivery.state() != WebhookDelivery.State.PENDING,
        PAUSE,
        limit,
        () -> delivery(namespace, id, ping.id()));
  }

  /**
   * Lists the deliveries of a webhook, latest first, up to 100 at once.
   *
   * @param cursor {@link Page#next} of the page before, or null for the first
   * @return a page of deliveries
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Page<WebhookDelivery> deliveries(String namespace, UUID id, @Nullable String cursor)
      throws IOException, InterruptedException {
    Query query = new Query().page(cursor);
    return transport.json(
        Call.get(path(namespace, id) + "/deliveries" + query), new TypeReference<>() {});
  }

  /**
   * Reads a delivery.
   *
   * @param delivery the delivery's id
   * @return the delivery
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WebhookDelivery delivery(String namespace, UUID id, UUID delivery)
      throws IOException, InterruptedException {
    return transport.json(
        Call.get(path(namespace, id) + "/deliveries/" + delivery), new TypeReference<>() {});
  }

  private static String path(String namespace) {
    return "/api/v1/namespaces/" + NameRule.NAMESPACE.require(namespace) + "/webhooks";
  }

  private static String path(String namespace, UUID id) {
    return path(namespace) + "/" + id;
  }
}
