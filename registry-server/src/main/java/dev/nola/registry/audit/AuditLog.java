package dev.nola.registry.audit;

import dev.nola.api.AuditEntry;
import dev.nola.registry.web.RequestIds;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Reads and writes the audit log. An entry is written in the transaction that makes the change:
 * either both are stored or neither.
 */
@Component
public class AuditLog {
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
   * Lists entries, latest first.
   *
   * @param lastId id that theirs must be below
   * @param limit maximum number of entries
   * @return the entries
   */
  List<AuditEntry> page(long lastId, int limit) {
    return database
        .sql("select * from audit where id < ? order by id desc limit ?")
        .params(lastId, limit)
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
