package dev.nola.registry.webhooks;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Counts the requests that this server is waiting for, so that the slow receivers of one namespace
 * hold a few threads only.
 */
final class InFlight {
  static final int MAX_PER_WEBHOOK = 2;
  static final int MAX_PER_NAMESPACE = 4;

  private final Map<UUID, Integer> ofWebhooks = new HashMap<>();
  private final Map<Long, Integer> ofNamespaces = new HashMap<>();

  /**
   * Counts a request, unless there are as many as there may be.
   *
   * @return whether it may be sent; then {@link #end} must follow
   */
  synchronized boolean begin(UUID webhook, long namespace) {
    if (ofWebhooks.getOrDefault(webhook, 0) >= MAX_PER_WEBHOOK
        || ofNamespaces.getOrDefault(namespace, 0) >= MAX_PER_NAMESPACE) {
      return false;
    }
    ofWebhooks.merge(webhook, 1, Integer::sum);
    ofNamespaces.merge(namespace, 1, Integer::sum);
    return true;
  }

  /** Ends the count of a request. */
  synchronized void end(UUID webhook, long namespace) {
    ofWebhooks.computeIfPresent(webhook, (_, count) -> count == 1 ? null : count - 1);
    ofNamespaces.computeIfPresent(namespace, (_, count) -> count == 1 ? null : count - 1);
  }
}
