package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.web.Refusal;
import java.time.Instant;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Lists what a namespace published last, for all who follow it. */
@Component
public class NewVersions {
  private static final int LISTED = 50;

  private final JdbcClient database;
  private final Access access;

  NewVersions(JdbcClient database, Access access) {
    this.database = database;
    this.access = access;
  }

  /**
   * A version of a public adapter.
   *
   * @param adapter of the version
   * @param version its number
   * @param description text for people
   * @param publishedAt time of publication
   */
  public record NewVersion(
      AdapterName adapter, String version, String description, Instant publishedAt) {}

  /**
   * Lists the versions of public adapters that were published last and are not yanked. A feed never
   * includes private adapters, even for members, because feed readers often share what they fetch.
   *
   * @param namespace of the adapters
   * @return at most {@value #LISTED} versions, latest first
   * @throws Refusal with status 404 if the namespace is unknown
   */
  public List<NewVersion> of(String namespace) {
    long id = access.idOf(namespace).orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    return database
        .sql(
            """
            select a.name, v.version, v.published_at,
              case when v.description = '' then a.description else v.description end as description
            from adapter a join version v on v.adapter_id = a.id
            where a.namespace_id = ? and not a.private and v.deleted_at is null
              and v.yanked_at is null and v.verification <> 'MISMATCHED'
            order by v.published_at desc, v.id desc limit ?""")
        .params(id, LISTED)
        .query(
            (row, _) ->
                new NewVersion(
                    new AdapterName(namespace, row.getString("name")),
                    row.getString("version"),
                    row.getString("description"),
                    row.getTimestamp("published_at").toInstant()))
        .list();
  }
}
