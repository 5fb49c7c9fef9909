package dev.nola.registry.webhooks;

import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookEvent;
import dev.nola.digest.Sha256;
import java.net.URI;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads and writes the table of deliveries. */
@Component
class DeliveryRepository {
  static final int MAX_PENDING = 1000;

  private final JdbcClient database;

  DeliveryRepository(JdbcClient database) {
    this.database = database;
  }

  /**
   * Something that happened in a namespace.
   *
   * @param namespace its name
   * @param event its kind
   * @param payload of the messages about it
   */
  record Occurrence(String namespace, WebhookEvent event, String payload) {}

  /**
   * Adds deliveries of events to the active webhooks that subscribe to them. Those of a webhook
   * with as many pending ones as it may have are recorded as failed.
   *
   * @param occurrences in their order
   * @param now time of the events
   * @return ids of the new deliveries that are pending
   */
  List<UUID> add(List<Occurrence> occurrences, Instant now) {
    // The webhooks are held, so that one that is deleted meanwhile is skipped instead of failing
    // the change that this is about.
    return database
        .sql(
            """
            insert into webhook_delivery
              (id, webhook_id, event, payload, state, created_at, next_attempt_at, error)
            select gen_random_uuid(), w.id, e.event, e.payload,
              case when p.crowded then 'FAILED' else 'PENDING' end, ?,
              case when not p.crowded then ?::timestamptz end, case when p.crowded then ? end
            from unnest(?::text[], ?::text[], ?::text[])
              with ordinality as e (namespace, event, payload, number)
            join namespace n on n.name = e.namespace
            join webhook w on w.namespace_id = n.id
              and w.inactive_reason is null and e.event = any(w.events)
            cross join lateral (select count(*) >= ? as crowded from webhook_delivery d
              where d.webhook_id = w.id and d.state = 'PENDING') p
            order by e.number
            for key share of w
            returning id, state""")
        .params(
            Timestamp.from(now),
            Timestamp.from(now),
            "too many pending deliveries: the limit is %d".formatted(MAX_PENDING),
            occurrences.stream().map(Occurrence::namespace).toArray(String[]::new),
            occurrences.stream().map(one -> one.event().name()).toArray(String[]::new),
            occurrences.stream().map(Occurrence::payload).toArray(String[]::new),
            MAX_PENDING)
        .query(
            (row, _) ->
                row.getString("state").equals("PENDING")
                    ? Optional.of(row.getObject("id", UUID.class))
                    : Optional.<UUID>empty())
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  /**
   * Adds the delivery of a test, unless one is pending.
   *
   * @param webhook that gets it
   * @param payload of the message
   * @param now time of the request
   * @return the delivery; empty if one is pending
   */
  Optional<WebhookDelivery> addPing(UUID webhook, String payload, Instant now) {
    return database
        .sql(
            """
            insert into webhook_delivery
              (id, webhook_id, event, payload, state, created_at, next_attempt_at)
            select gen_random_uuid(), :webhook, 'PING', :payload, 'PENDING', :now, :now
            where not exists (select from webhook_delivery
              where webhook_id = :webhook and state = 'PENDING' and event = 'PING')
            returning *""")
        .param("webhook", webhook)
        .param("payload", payload)
        .param("now", Timestamp.from(now))
        .query((row, _) -> delivery(row))
        .optional();
  }

  /**
   * A delivery to attempt. It has more than six components because an attempt needs them all.
   *
   * @param webhook that gets it
   * @param namespace id of the webhook's
   * @param event its kind
   * @param secretHash of the webhook's secret
   * @param message to send
   * @param attempts number of attempts so far
   * @param createdAt time of the event
   * @param dueAt time since which it may be attempted
   */
  record Pending(
      UUID webhook,
      long namespace,
      WebhookEvent event,
      Sha256 secretHash,
      WebhookSender.Message message,
      int attempts,
      Instant createdAt,
      Instant dueAt) {}

  /** Finds a delivery that has not ended. */
  Optional<Pending> findPending(UUID id) {
    return database
        .sql(
            """
            select d.*, w.url, w.namespace_id, w.secret_hash from webhook_delivery d
            join webhook w on w.id = d.webhook_id
            where d.id = ? and d.state = 'PENDING'""")
        .params(id)
        .query(
            (row, _) ->
                new Pending(
                    row.getObject("webhook_id", UUID.class),
                    row.getLong("namespace_id"),
                    WebhookEvent.valueOf(row.getString("event")),
                    Sha256.ofBytes(row.getBytes("secret_hash")),
                    new WebhookSender.Message(
                        id, URI.create(row.getString("url")), row.getString("payload")),
                    row.getInt("attempts"),
                    row.getTimestamp("created_at").toInstant(),
                    row.getTimestamp("next_attempt_at").toInstant()))
        .optional();
  }

  /** Records an attempt that failed, and when the next one is. */
  void retry(UUID id, WebhookSender.Outcome outcome, Instant now, Instant next) {
    record(id, WebhookDelivery.State.PENDING, outcome, now, next);
  }

  /**
   * Records the last attempt.
   *
   * @return whether the delivery was pending until now
   */
  boolean end(UUID id, WebhookSender.Outcome outcome, Instant now) {
    return record(
        id,
        outcome.isDelivered() ? WebhookDelivery.State.DELIVERED : WebhookDelivery.State.FAILED,
        outcome,
        now,
        null);
  }

  private boolean record(
      UUID id,
      WebhookDelivery.State state,
      WebhookSender.Outcome outcome,
      Instant now,
      @Nullable Instant next) {
    return database
            .sql(
                """
            update webhook_delivery set state = :state, attempts = attempts + 1,
              last_attempt_at = :now, next_attempt_at = :next, response_status = :status,
              error = :error
            where id = :id and state = 'PENDING'""")
            .param("state", state.name())
            .param("now", Timestamp.from(now))
            .param("next", next == null ? null : Timestamp.from(next))
            .param("status", outcome.status())
            .param("error", outcome.error())
            .param("id", id)
            .update()
        == 1;
  }

  /**
   * A row.
   *
   * @param position orders the deliveries
   * @param delivery as the API shows it
   */
  record Row(long position, WebhookDelivery delivery) {}

  /**
   * Lists the deliveries of a webhook, latest first.
   *
   * @param webhook its id
   * @param lastPosition that theirs must be below
   * @param limit maximum number of deliveries
   * @return the deliveries
   */
  List<Row> page(UUID webhook, long lastPosition, int limit) {
    return database
        .sql(
            """
            select * from webhook_delivery where webhook_id = ? and position < ?
            order by position desc limit ?""")
        .params(webhook, lastPosition, limit)
        .query((row, _) -> new Row(row.getLong("position"), delivery(row)))
        .list();
  }

  /** Finds a delivery of a webhook. */
  Optional<WebhookDelivery> find(UUID webhook, UUID id) {
    return database
        .sql("select * from webhook_delivery where webhook_id = ? and id = ?")
        .params(webhook, id)
        .query((row, _) -> delivery(row))
        .optional();
  }

  /** Deletes deliveries that ended and are older than the retention. */
  void forgetEnded(Duration retention) {
    database
        .sql(
            """
            delete from webhook_delivery
            where state <> 'PENDING' and created_at < now() - make_interval(secs => ?)""")
        .params((double) retention.toSeconds())
        .update();
  }

  private static WebhookDelivery delivery(ResultSet row) throws SQLException {
    return new WebhookDelivery(
        row.getObject("id", UUID.class),
        WebhookEvent.valueOf(row.getString("event")),
        WebhookDelivery.State.valueOf(row.getString("state")),
        row.getTimestamp("created_at").toInstant(),
        row.getInt("attempts"),
        instant(row, "last_attempt_at"),
        instant(row, "next_attempt_at"),
        row.getObject("response_status", Integer.class),
        row.getString("error"));
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp time = row.getTimestamp(column);
    return time == null ? null : time.toInstant();
  }
}
