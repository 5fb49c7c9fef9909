package dev.nola.registry.audit;

import dev.nola.registry.web.RequestIds;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Notes what was done, in the transaction that does it: either both are there or neither. */
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
   * @param tokenId with which it was done; null if the server did it by itself
   * @param action such as {@code version.publish}
   * @param subject to what it was done
   * @param detail what else there is to say, or an empty text
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
}
