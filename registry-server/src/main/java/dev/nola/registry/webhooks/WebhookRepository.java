package dev.nola.registry.webhooks;

import dev.nola.api.webhook.Webhook;
import dev.nola.api.webhook.WebhookEvent;
import dev.nola.digest.Sha256;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads and writes the table of webhooks. */
@Component
class WebhookRepository {
  private static final String INACTIVE = "ended because the webhook became inactive";

  private final JdbcClient database;

  WebhookRepository(JdbcClient database) {
    this.database = database;
  }

  /**
   * Locks a namespace until the transaction ends, so that its webhooks and owners change one at a
   * time.
   *
   * @return its id; empty if the namespace does not exist
   */
  Optional<Long> lockNamespace(String name) {
    return database
        .sql("select id from namespace where name = ? for no key update")
        .params(name)
        .query(Long.class)
        .optional();
  }

  /** Adds a webhook to a namespace. */
  void add(long namespaceId, Webhook webhook, Sha256 secretHash) {
    database
        .sql(
            """
            insert into webhook
              (id, namespace_id, url, events, secret_hash, url_by, changed_by, created_at, changed_at)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?)""")
        .params(
            webhook.id(),
            namespaceId,
            webhook.url(),
            names(webhook.events()),
            secretHash.toBytes(),
            webhook.changedBy(),
            webhook.changedBy(),
            Timestamp.from(webhook.createdAt()),
            Timestamp.from(webhook.changedAt()))
        .update();
  }

  /**
   * Stores the URL, the events, the activity and the last change of a webhook.
   *
   * @param webhook with its new values
   * @param vouches whether the account that changes it answers for the URL from now on
   */
  void update(Webhook webhook, boolean vouches) {
    database
        .sql(
            """
            update webhook set url = ?, events = ?, inactive_reason = ?, changed_by = ?,
              url_by = case when ? then ? else url_by end, changed_at = ?
            where id = ?""")
        .params(
            webhook.url(),
            names(webhook.events()),
            webhook.inactiveReason(),
            webhook.changedBy(),
            vouches,
            webhook.changedBy(),
            Timestamp.from(webhook.changedAt()),
            webhook.id())
        .update();
    if (!webhook.active()) {
      endDeliveries(List.of(webhook.id()));
    }
  }

  /** Lists the webhooks of a namespace, oldest first. */
  List<Webhook> ofNamespace(long namespaceId) {
    return database
        .sql("select * from webhook where namespace_id = ? order by created_at, id")
        .params(namespaceId)
        .query((row, _) -> webhook(row))
        .list();
  }

  /** Finds a webhook of a namespace. */
  Optional<Webhook> find(long namespaceId, UUID id) {
    return database
        .sql("select * from webhook where namespace_id = ? and id = ?")
        .params(namespaceId, id)
        .query((row, _) -> webhook(row))
        .optional();
  }

  /** Deletes a webhook, with its deliveries. */
  void delete(UUID id) {
    database.sql("delete from webhook where id = ?").params(id).update();
  }

  /**
   * Locks a webhook until the transaction ends. To be called before its deliveries change, so that
   * transactions do not wait for each other in a circle.
   *
   * @return its URL; empty if it was deleted
   */
  Optional<String> lock(UUID id) {
    return database
        .sql("select url from webhook where id = ? for no key update")
        .params(id)
        .query(String.class)
        .optional();
  }

  /** Records that something was delivered. */
  void delivered(UUID id, Instant now) {
    database
        .sql("update webhook set last_delivered_at = ? where id = ?")
        .params(Timestamp.from(now), id)
        .update();
  }

  /** Returns whether something was delivered after a time. */
  boolean deliveredAfter(UUID id, Instant time) {
    return database
        .sql("select exists (select from webhook where id = ? and last_delivered_at > ?)")
        .params(id, Timestamp.from(time))
        .query(Boolean.class)
        .single();
  }

  /**
   * Makes a webhook inactive, and ends its deliveries.
   *
   * @param id of the webhook
   * @param reason shown to owners
   * @return name of its namespace; empty if it was inactive, or is gone
   */
  Optional<String> deactivate(UUID id, String reason) {
    Optional<String> namespace =
        database
            .sql(
                """
                update webhook w set inactive_reason = ? from namespace n
                where w.id = ? and w.inactive_reason is null and n.id = w.namespace_id
                returning n.name""")
            .params(reason, id)
            .query(String.class)
            .optional();
    endDeliveries(List.of(id));
    return namespace;
  }

  /**
   * Makes the webhooks of a namespace inactive whose URL an account chose, or that it was the last
   * to change, and ends their deliveries.
   *
   * @param namespace its name
   * @param account that does not own it any more
   * @param reason shown to owners
   * @return ids of the webhooks
   */
  List<UUID> deactivateOf(String namespace, String account, String reason) {
    List<UUID> ids =
        database
            .sql(
                """
                update webhook w set inactive_reason = ? from namespace n
                where n.name = ? and w.namespace_id = n.id and ? in (w.url_by, w.changed_by)
                  and w.inactive_reason is null
                returning w.id""")
            .params(reason, namespace, account)
            .query(UUID.class)
            .list();
    endDeliveries(ids);
    return ids;
  }

  private void endDeliveries(Collection<UUID> webhooks) {
    database
        .sql(
            """
            update webhook_delivery set state = 'FAILED', next_attempt_at = null,
              error = ? || coalesce(' (last attempt: ' || error || ')', '')
            where webhook_id = any(?) and state = 'PENDING'""")
        .params(INACTIVE, webhooks.toArray(UUID[]::new))
        .update();
  }

  private static String[] names(List<WebhookEvent> events) {
    return events.stream().map(WebhookEvent::name).toArray(String[]::new);
  }

  private static Webhook webhook(ResultSet row) throws SQLException {
    String inactiveReason = row.getString("inactive_reason");
    Timestamp lastDeliveredAt = row.getTimestamp("last_delivered_at");
    return new Webhook(
        row.getObject("id", UUID.class),
        row.getString("url"),
        Arrays.stream((String[]) row.getArray("events").getArray())
            .map(WebhookEvent::valueOf)
            .toList(),
        inactiveReason == null,
        inactiveReason,
        lastDeliveredAt == null ? null : lastDeliveredAt.toInstant(),
        row.getString("changed_by"),
        row.getTimestamp("created_at").toInstant(),
        row.getTimestamp("changed_at").toInstant());
  }
}
