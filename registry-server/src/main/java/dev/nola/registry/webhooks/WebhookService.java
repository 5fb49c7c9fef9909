package dev.nola.registry.webhooks;

import dev.nola.api.webhook.IssuedWebhook;
import dev.nola.api.webhook.Webhook;
import dev.nola.api.webhook.WebhookChange;
import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookEvent;
import dev.nola.api.webhook.WebhookRequest;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.access.OwnerRemoved;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Creates, reads, changes and tests webhooks for the owners of their namespace. */
@Service
class WebhookService {
  static final int MAX_PER_NAMESPACE = 10;

  private static final Duration NEXT_PING = Duration.ofSeconds(5);

  private final WebhookRepository webhooks;
  private final DeliveryRepository deliveries;
  private final Outbox outbox;
  private final WebhookRules rules;
  private final WebhookKey key;
  private final Access access;
  private final AuditLog audit;
  private final Clock clock;

  /** Takes more than six beans: it checks rights and rules, and records the change and a test. */
  WebhookService(
      WebhookRepository webhooks,
      DeliveryRepository deliveries,
      Outbox outbox,
      WebhookRules rules,
      WebhookKey key,
      Access access,
      AuditLog audit,
      Clock clock) {
    this.webhooks = webhooks;
    this.deliveries = deliveries;
    this.outbox = outbox;
    this.rules = rules;
    this.key = key;
    this.access = access;
    this.audit = audit;
    this.clock = clock;
  }

  /**
   * Creates a webhook.
   *
   * @param caller of the request
   * @param namespace whose events it gets
   * @param request its URL and events
   * @return the webhook with its secret
   * @throws Refusal if the namespace does not exist, the caller does not own it, the request breaks
   *     a rule, or the namespace has as many as it may
   */
  @Transactional
  IssuedWebhook create(Caller caller, String namespace, WebhookRequest request) {
    long namespaceId = lockOwned(caller, namespace);
    rules.requireUrl(request.url());
    if (webhooks.ofNamespace(namespaceId).size() >= MAX_PER_NAMESPACE) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "too-many-webhooks",
          "too many webhooks: namespace %s has %d; the limit is %d"
              .formatted(namespace, MAX_PER_NAMESPACE, MAX_PER_NAMESPACE));
    }
    Instant now = clock.instant();
    Webhook webhook =
        new Webhook(
            UUID.randomUUID(),
            request.url(),
            WebhookRules.events(request.events()),
            true,
            null,
            null,
            caller.account(),
            now,
            now);
    WebhookSecret secret = key.secretOf(webhook.id());
    webhooks.add(namespaceId, webhook, secret.hash());
    note(caller, "webhook.create", namespace, webhook);
    return new IssuedWebhook(webhook, secret.text());
  }

  /**
   * Lists the webhooks of a namespace, oldest first.
   *
   * @throws Refusal if the namespace does not exist, or the caller does not own it
   */
  List<Webhook> list(Caller caller, String namespace) {
    return webhooks.ofNamespace(owned(caller, namespace));
  }

  /**
   * Reads a webhook.
   *
   * @throws Refusal if the caller does not own the namespace, or the webhook does not exist
   */
  Webhook get(Caller caller, String namespace, UUID id) {
    return find(owned(caller, namespace), id);
  }

  /**
   * Changes a webhook, but not its secret. Does nothing if every value is what it was.
   *
   * @param caller of the request
   * @param namespace that has the webhook
   * @param id of the webhook
   * @param change new values; null for those to keep
   * @return the webhook
   * @throws Refusal if the caller does not own the namespace, the webhook does not exist, or a
   *     value breaks a rule
   */
  @Transactional
  Webhook change(Caller caller, String namespace, UUID id, WebhookChange change) {
    Webhook old = find(lockOwned(caller, namespace), id);
    if (change.url() != null) {
      rules.requireUrl(change.url());
    }
    boolean active = change.active() == null ? old.active() : change.active();
    String url = change.url() == null ? old.url() : change.url();
    List<WebhookEvent> events =
        change.events() == null ? old.events() : WebhookRules.events(change.events());
    if (active == old.active() && url.equals(old.url()) && events.equals(old.events())) {
      return old;
    }
    Webhook changed =
        new Webhook(
            id,
            url,
            events,
            active,
            inactiveReason(caller, old, active),
            old.lastDeliveredAt(),
            caller.account(),
            old.createdAt(),
            clock.instant());
    webhooks.update(changed, !url.equals(old.url()) || (active && !old.active()));
    note(caller, "webhook.change", namespace, changed);
    return changed;
  }

  private static @Nullable String inactiveReason(Caller caller, Webhook old, boolean active) {
    if (active) {
      return null;
    }
    return old.active() ? "deactivated by " + caller.account() : old.inactiveReason();
  }

  /**
   * Deletes a webhook, with its deliveries.
   *
   * @throws Refusal if the caller does not own the namespace, or the webhook does not exist
   */
  @Transactional
  void delete(Caller caller, String namespace, UUID id) {
    Webhook webhook = find(lockOwned(caller, namespace), id);
    webhooks.delete(id);
    note(caller, "webhook.delete", namespace, webhook);
  }

  /**
   * Sends a test.
   *
   * @param caller of the request
   * @param namespace that has the webhook
   * @param id of the webhook
   * @return its delivery, which is pending
   * @throws Refusal if the caller does not own the namespace, the webhook does not exist, or the
   *     webhook is inactive; with status 429 if an earlier test is pending
   */
  @Transactional
  WebhookDelivery ping(Caller caller, String namespace, UUID id) {
    Webhook webhook = find(lockOwned(caller, namespace), id);
    if (!webhook.active()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "webhook-inactive",
          "webhook is inactive: %s; activate it: nola webhook edit %s %s --active"
              .formatted(webhook.inactiveReason(), namespace, id));
    }
    return outbox
        .ping(id)
        .orElseThrow(() -> Refusal.tooMany("an earlier test is still pending", NEXT_PING));
  }

  /**
   * Lists the deliveries of a webhook, latest first.
   *
   * @param caller of the request
   * @param namespace that has the webhook
   * @param id of the webhook
   * @param lastPosition that theirs must be below
   * @param limit maximum number of deliveries
   * @return the deliveries
   * @throws Refusal if the caller does not own the namespace, or the webhook does not exist
   */
  List<DeliveryRepository.Row> deliveries(
      Caller caller, String namespace, UUID id, long lastPosition, int limit) {
    return deliveries.page(get(caller, namespace, id).id(), lastPosition, limit);
  }

  /**
   * Reads a delivery.
   *
   * @param caller of the request
   * @param namespace that has the webhook
   * @param id of the webhook
   * @param delivery its id
   * @return the delivery
   * @throws Refusal if the caller does not own the namespace, or the delivery does not exist
   */
  WebhookDelivery delivery(Caller caller, String namespace, UUID id, UUID delivery) {
    return deliveries
        .find(get(caller, namespace, id).id(), delivery)
        .orElseThrow(() -> Refusal.notFound("delivery " + delivery));
  }

  /** Keeps what is private from the receivers of an account that may not see it any more. */
  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void ownerRemoved(OwnerRemoved event) {
    String reason =
        "%s, who set its URL or was the last to change it, is not an owner of %s any more; activate it again if its URL is still right"
            .formatted(event.account(), event.namespace());
    webhooks
        .deactivateOf(event.namespace(), event.account(), reason)
        .forEach(
            id ->
                audit.add(
                    DeliveryAttempts.REGISTRY,
                    null,
                    DeliveryAttempts.DEACTIVATE,
                    event.namespace() + " " + id,
                    reason));
  }

  private long owned(Caller caller, String namespace) {
    long id = access.idOf(namespace).orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    access.requireOwner(caller, namespace);
    return id;
  }

  private long lockOwned(Caller caller, String namespace) {
    long id =
        webhooks
            .lockNamespace(namespace)
            .orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    access.requireOwner(caller, namespace);
    return id;
  }

  private Webhook find(long namespaceId, UUID id) {
    return webhooks.find(namespaceId, id).orElseThrow(() -> Refusal.notFound("webhook " + id));
  }

  /** Writes the audit log, without the path of the URL: that of some receivers is a password. */
  private void note(Caller caller, String action, String namespace, Webhook webhook) {
    audit.add(
        caller.account(),
        caller.tokenId(),
        action,
        namespace + " " + webhook.id(),
        URI.create(webhook.url()).getHost());
  }
}
