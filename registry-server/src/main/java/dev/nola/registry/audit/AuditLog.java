package dev.nola.registry.audit;

import dev.nola.api.AuditEntry;
import dev.nola.api.Page;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.RequestIds;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.LocalDate;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Reads and writes the audit log. An entry is written in the transaction that makes the change:
 * either both are stored or neither.
 */
@Component
public class AuditLog {
  private static final String LIST = "audit";

  private final JdbcClient database;
  private final Clock clock;

  AuditLog(JdbcClient database, Clock clock) {
    this.database = database;
    this.clock = clock;
  }

  /**
   * Adds an entry.
   *
   * @param account that acted
   * @param tokenId of its token; null if the server acted on its own
   * @param action such as {@code version.publish}
   * @param subject of the action
   * @param detail of the action; may be empty
   */
  public void add(
      String account, @Nullable UUID tokenId, String action, String subject, String detail) {
    database
        .sql(
            """
            insert into audit (at, account, token_id, action, subject, detail, request_id)
            values (?, ?, ?, ?, ?, ?, ?)""")
        .params(
            Timestamp.from(clock.instant()),
            account,
            tokenId,
            action,
            subject,
            detail,
            RequestIds.current())
        .update();
  }

  /**
   * Conditions on entries; empty accepts any.
   *
   * @param account that acted
   * @param action that the entry's action begins with, such as {@code version.}
   * @param subject that is part of the entry's subject
   * @param day in UTC on which it happened, or null
   */
  public record Filter(String account, String action, String subject, @Nullable LocalDate day) {
    static final Filter ANY = new Filter("", "", "", null);
  }

  /**
   * Lists entries, latest first.
   *
   * @param filter conditions on the entries
   * @param limit maximum number of entries
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws dev.nola.registry.web.Refusal with status 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<AuditEntry>> list(Filter filter, int limit, @Nullable String cursor) {
    long lastId = cursor == null ? Long.MAX_VALUE : Cursor.parse(cursor, LIST, 1).number(0);
    return Pages.of(
        page(filter, lastId, Pages.fetch(limit)),
        limit,
        last -> new Cursor(LIST, List.of(Long.toString(last.id()))),
        entry -> entry);
  }

  private List<AuditEntry> page(Filter filter, long lastId, int limit) {
    return database
        .sql(
            """
            select * from audit where id < :lastId
              and (:account = '' or account = :account)
              and starts_with(action, :action)
              and position(:subject in subject) > 0
              and (cast(:day as date) is null or (at at time zone 'UTC')::date = cast(:day as date))
            order by id desc limit :limit""")
        .param("lastId", lastId)
        .param("account", filter.account())
        .param("action", filter.action())
        .param("subject", filter.subject())
        .param("day", filter.day() == null ? null : filter.day().toString())
        .param("limit", limit)
        .query(
            (row, _) ->
                new AuditEntry(
                    row.getLong("id"),
                    row.getTimestamp("at").toInstant(),
                    row.getString("account"),
                    row.getString("token_id"),
                    row.getString("action"),
                    row.getString("subject"),
                    row.getString("detail"),
                    row.getString("request_id")))
        .list();
  }
}
