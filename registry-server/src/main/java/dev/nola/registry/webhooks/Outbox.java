package dev.nola.registry.webhooks;

import dev.nola.api.Verification;
import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookEvent;
import dev.nola.registry.catalog.AliasMoved;
import dev.nola.registry.catalog.VersionPublished;
import dev.nola.registry.catalog.VersionStatusChanged;
import dev.nola.registry.catalog.Versions;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.event.EventListener;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Records the events for webhooks in the transaction that causes them: either both are stored or
 * neither.
 */
@Component
class Outbox {
  private final DeliveryRepository deliveries;
  private final DeliveryQueue queue;
  private final JsonMapper json;
  private final Clock clock;

  Outbox(DeliveryRepository deliveries, DeliveryQueue queue, JsonMapper json, Clock clock) {
    this.deliveries = deliveries;
    this.queue = queue;
    this.json = json;
    this.clock = clock;
  }

  /** The body of a message. */
  private record Payload(WebhookEvent type, Instant timestamp, Object data) {}

  private record VersionData(String adapter, String version, String digest) {}

  private record AliasData(
      String adapter, String alias, @Nullable String from, @Nullable String to) {}

  /** Comes first: the same file may have been attested before, and be verified at once. */
  @EventListener
  @Order(Ordered.HIGHEST_PRECEDENCE)
  @Transactional(propagation = Propagation.MANDATORY)
  void published(VersionPublished version) {
    add(
        List.of(
            version(
                WebhookEvent.VERSION_PUBLISHED,
                version.adapter().namespace(),
                new VersionData(
                    version.adapter().toString(), version.version(), version.digest()))));
  }

  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void changed(VersionStatusChanged event) {
    List<DeliveryRepository.Occurrence> occurrences = new ArrayList<>();
    for (Versions.Change change : event.changes()) {
      Versions.Version version = change.version();
      List<WebhookEvent> events = new ArrayList<>();
      if (change.now() != version.verification()) {
        if (change.now() == Verification.VERIFIED) {
          events.add(WebhookEvent.VERSION_VERIFIED);
        } else if (change.now() == Verification.MISMATCHED) {
          events.add(WebhookEvent.VERSION_MISMATCHED);
        }
      }
      if (change.beginsDispute()) {
        events.add(WebhookEvent.VERSION_DISPUTED);
      }
      VersionData data =
          new VersionData(version.adapter().toString(), version.version(), version.digest());
      events.forEach(kind -> occurrences.add(version(kind, version.adapter().namespace(), data)));
    }
    add(occurrences);
  }

  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void moved(AliasMoved alias) {
    AliasData data =
        new AliasData(alias.adapter().toString(), alias.alias(), alias.from(), alias.to());
    add(
        List.of(
            new DeliveryRepository.Occurrence(
                alias.adapter().namespace(),
                WebhookEvent.ALIAS_MOVED,
                payload(WebhookEvent.ALIAS_MOVED, data))));
  }

  /**
   * Records a test of a webhook.
   *
   * @param webhook its id
   * @return the delivery; empty if an earlier test is pending
   */
  @Transactional(propagation = Propagation.MANDATORY)
  Optional<WebhookDelivery> ping(UUID webhook) {
    Optional<WebhookDelivery> ping =
        deliveries.addPing(
            webhook, payload(WebhookEvent.PING, Map.of("webhook", webhook)), clock.instant());
    ping.ifPresent(delivery -> queue.add(List.of(delivery.id())));
    return ping;
  }

  private DeliveryRepository.Occurrence version(
      WebhookEvent event, String namespace, VersionData data) {
    return new DeliveryRepository.Occurrence(namespace, event, payload(event, data));
  }

  private String payload(WebhookEvent event, Object data) {
    return json.writeValueAsString(new Payload(event, clock.instant(), data));
  }

  private void add(List<DeliveryRepository.Occurrence> occurrences) {
    if (!occurrences.isEmpty()) {
      List<UUID> added = deliveries.add(occurrences, clock.instant());
      if (!added.isEmpty()) {
        queue.add(added);
      }
    }
  }
}
