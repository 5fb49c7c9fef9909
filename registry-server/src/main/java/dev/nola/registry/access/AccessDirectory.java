package dev.nola.registry.access;

import dev.nola.api.AccountSummary;
import dev.nola.api.Namespace;
import dev.nola.api.Page;
import dev.nola.api.Role;
import dev.nola.api.Token;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Lists namespaces, accounts and tokens, in pages. */
@Component
public class AccessDirectory {
  private static final String ACCOUNTS = "accounts";
  private static final String TOKENS = "tokens";

  /** Databases have no times long after it. */
  private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

  private static final UUID LEAST_ID = new UUID(0, 0);

  private final JdbcClient database;
  private final TokenRepository tokens;

  AccessDirectory(JdbcClient database, TokenRepository tokens) {
    this.database = database;
    this.tokens = tokens;
  }

  /**
   * Lists namespaces by name: those that the caller is a member of, or all for an admin; within the
   * limits of its token.
   *
   * @param caller of the request
   * @param lastName name of the last namespace of the page before; empty for the first page
   * @param limit maximum number of namespaces
   * @return the namespaces, with the caller's role
   */
  List<Namespace> namespaces(Caller caller, String lastName, int limit) {
    return database
        .sql(
            """
            select n.name, n.created_at, case when :admin then 'OWNER' else m.role end as role
            from namespace n
            left join membership m on m.namespace_id = n.id and m.account = :account
            where n.name > :lastName and (:admin or m.role is not null)
              and (cast(:reached as text[]) is null or n.name = any(:reached))
            order by n.name limit :limit""")
        .param("admin", caller.isAdmin())
        .param("account", caller.account())
        .param("lastName", lastName)
        .param(
            "reached",
            caller.namespaces() == null ? null : caller.namespaces().toArray(String[]::new))
        .param("limit", limit)
        .query(
            (row, _) ->
                new Namespace(
                    row.getString("name"),
                    Role.valueOf(row.getString("role")),
                    row.getTimestamp("created_at").toInstant()))
        .list();
  }

  /**
   * Lists all accounts by name: those that have a token or are a member of a namespace.
   *
   * @param limit maximum number of accounts
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal with status 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<AccountSummary>> accounts(int limit, @Nullable String cursor) {
    String lastName = cursor == null ? "" : Cursor.parse(cursor, ACCOUNTS, 1).key().getFirst();
    return Pages.of(
        accounts(lastName, Pages.fetch(limit)),
        limit,
        last -> new Cursor(ACCOUNTS, List.of(last.account())),
        account -> account);
  }

  /**
   * Lists the tokens of all accounts, oldest first, without their secrets.
   *
   * @param valid whether to list only those that are valid now
   * @param limit maximum number of tokens
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal with status 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<Token>> tokens(boolean valid, int limit, @Nullable String cursor) {
    Position last = cursor == null ? new Position(Instant.EPOCH, LEAST_ID) : position(cursor);
    return Pages.of(
        tokens.page(last.createdAt(), last.id(), valid, Pages.fetch(limit)),
        limit,
        token -> new Cursor(TOKENS, List.of(token.createdAt.toString(), token.id.toString())),
        TokenEntity::toApi);
  }

  private List<AccountSummary> accounts(String lastName, int limit) {
    return database
        .sql(
            """
            with page as (
              select account from (
                select account from token union select account from membership) as known
              where account > :lastName order by account limit :limit)
            select p.account,
              (select count(*) from token t where t.account = p.account and t.revoked_at is null
                and (t.expires_at is null or t.expires_at > now())) as tokens,
              (select max(t.last_used_at) from token t where t.account = p.account) as last_used_at,
              array(select n.name from membership m join namespace n on n.id = m.namespace_id
                where m.account = p.account order by n.name) as namespaces
            from page p order by p.account""")
        .param("lastName", lastName)
        .param("limit", limit)
        .query(
            (row, _) ->
                new AccountSummary(
                    row.getString("account"),
                    row.getLong("tokens"),
                    instant(row, "last_used_at"),
                    List.of((String[]) row.getArray("namespaces").getArray())))
        .list();
  }

  /** A position in the list of all tokens. */
  private record Position(Instant createdAt, UUID id) {}

  private static Position position(String cursor) {
    List<String> key = Cursor.parse(cursor, TOKENS, 2).key();
    try {
      Instant createdAt = Instant.parse(key.get(0));
      if (createdAt.isAfter(Instant.EPOCH) && createdAt.isBefore(LATEST)) {
        return new Position(createdAt, UUID.fromString(key.get(1)));
      }
    } catch (DateTimeException | IllegalArgumentException _) {
      // no position: refused below
    }
    throw Refusal.invalid(
        "cursor",
        "invalid cursor: %s; must be the value of next from the same list".formatted(cursor));
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp time = row.getTimestamp(column);
    return time == null ? null : time.toInstant();
  }
}
