package dev.nola.registry.webhooks;

import dev.nola.api.webhook.WebhookEvent;
import dev.nola.registry.audit.AuditLog;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/** Attempts deliveries, and records what becomes of them. No lock is held while one is sent. */
@Component
class DeliveryAttempts {
  private static final Logger LOG = LoggerFactory.getLogger(DeliveryAttempts.class);

  /** Account in the audit log. */
  static final String REGISTRY = "registry";

  /** Action in the audit log. */
  static final String DEACTIVATE = "webhook.deactivate";

  private static final Duration MIN_PAUSE = Duration.ofSeconds(1);
  private static final Duration MAX_PAUSE = Duration.ofSeconds(30);

  private static final String METRIC = "nola.webhooks.attempts";
  private static final String OUTCOME = "outcome";

  private final DeliveryRepository deliveries;
  private final WebhookRepository webhooks;
  private final WebhookKey key;
  private final WebhookSender sender;
  private final List<Duration> retries;
  private final AuditLog audit;
  private final TransactionTemplate transaction;
  private final MeterRegistry meters;
  private final Clock clock;
  private final InFlight inFlight = new InFlight();

  /**
   * Takes more than six beans: an attempt reads, sends, and changes delivery, webhook and audit.
   */
  DeliveryAttempts(
      DeliveryRepository deliveries,
      WebhookRepository webhooks,
      WebhookKey key,
      WebhookSender sender,
      WebhookSettings settings,
      AuditLog audit,
      TransactionTemplate transaction,
      MeterRegistry meters,
      Clock clock) {
    this.deliveries = deliveries;
    this.webhooks = webhooks;
    this.key = key;
    this.sender = sender;
    this.retries = settings.retries();
    this.audit = audit;
    this.transaction = transaction;
    this.meters = meters;
    this.clock = clock;
    meters.counter(METRIC, OUTCOME, "delivered"); // there from the start, so that they can be
    meters.counter(METRIC, OUTCOME, "failed"); // watched
  }

  /**
   * Attempts a delivery, unless it has ended. Postpones it, without counting an attempt, while its
   * webhook or namespace has as many requests in flight as it may.
   *
   * @param id of the delivery
   * @return time of the next attempt; empty if there will be none
   */
  Optional<Instant> attempt(UUID id) {
    DeliveryRepository.Pending pending = deliveries.findPending(id).orElse(null);
    if (pending == null) {
      return Optional.empty();
    }
    WebhookSecret secret = key.secretOf(pending.webhook());
    if (!secret.hash().equals(pending.secretHash())) {
      transaction.executeWithoutResult(
          _ ->
              deactivate(
                  pending,
                  "the registry's webhook-key was replaced, and with it the secret; delete this"
                      + " webhook and create another"));
      return Optional.empty();
    }
    if (!inFlight.begin(pending.webhook(), pending.namespace())) {
      return Optional.of(postponed(pending.dueAt()));
    }
    WebhookSender.Outcome outcome;
    try {
      outcome = sender.send(pending.message(), secret);
    } finally {
      inFlight.end(pending.webhook(), pending.namespace());
    }
    meters.counter(METRIC, OUTCOME, outcome.isDelivered() ? "delivered" : "failed").increment();
    return Objects.requireNonNull(transaction.execute(_ -> record(pending, outcome)));
  }

  /** Returns when to try again: later, the longer the delivery has waited, since many may wait. */
  private Instant postponed(Instant dueAt) {
    Instant now = clock.instant();
    Duration pause = Duration.between(dueAt, now).dividedBy(4);
    if (pause.compareTo(MIN_PAUSE) < 0) {
      return now.plus(MIN_PAUSE);
    }
    return now.plus(pause.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : pause);
  }

  private Optional<Instant> record(
      DeliveryRepository.Pending pending, WebhookSender.Outcome outcome) {
    String url = webhooks.lock(pending.webhook()).orElse(null);
    Instant now = clock.instant();
    if (outcome.isDelivered()) {
      deliveries.end(pending.message().id(), outcome, now);
      webhooks.delivered(pending.webhook(), now);
      return Optional.empty();
    }
    // What another URL answered, before the webhook was changed, says nothing about this one.
    boolean current = pending.message().url().toString().equals(url);
    boolean gone = current && Objects.equals(outcome.status(), HttpStatus.GONE.value());
    boolean test = pending.event() == WebhookEvent.PING;
    if (!gone && !test && pending.attempts() < retries.size()) {
      Instant next = now.plus(retries.get(pending.attempts()));
      deliveries.retry(pending.message().id(), outcome, now, next);
      return Optional.of(next);
    }
    boolean ended = deliveries.end(pending.message().id(), outcome, now);
    if (!ended) {
      return Optional.empty();
    }
    if (gone) {
      deactivate(pending, "the receiver answered with status 410 (gone)");
    } else if (current
        && !test
        && !webhooks.deliveredAfter(pending.webhook(), pending.createdAt())) {
      deactivate(
          pending,
          "nothing was delivered in the %d attempts since %s"
              .formatted(retries.size() + 1, pending.createdAt()));
    }
    return Optional.empty();
  }

  private void deactivate(DeliveryRepository.Pending pending, String reason) {
    webhooks
        .deactivate(pending.webhook(), reason)
        .ifPresent(
            namespace -> {
              LOG.warn("webhook {} of {} deactivated: {}", pending.webhook(), namespace, reason);
              audit.add(REGISTRY, null, DEACTIVATE, namespace + " " + pending.webhook(), reason);
            });
  }
}
