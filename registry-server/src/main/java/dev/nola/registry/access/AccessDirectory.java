package dev.nola.registry.access;

import dev.nola.api.AccountSummary;
import dev.nola.api.Namespace;
import dev.nola.api.Role;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Lists namespaces and accounts, in pages. */
@Component
class AccessDirectory {
  private final JdbcClient database;

  AccessDirectory(JdbcClient database) {
    this.database = database;
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
   * @param lastName name of the last account of the page before; empty for the first page
   * @param limit maximum number of accounts
   * @return the accounts
   */
  List<AccountSummary> accounts(String lastName, int limit) {
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

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp time = row.getTimestamp(column);
    return time == null ? null : time.toInstant();
  }
}
