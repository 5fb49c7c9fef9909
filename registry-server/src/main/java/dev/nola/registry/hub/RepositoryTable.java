package dev.nola.registry.hub;

import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.ReferenceResolver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** What the catalog's tables say of a repository, each by one query. */
@Repository
class RepositoryTable {
  private final JdbcClient database;

  RepositoryTable(JdbcClient database) {
    this.database = database;
  }

  /**
   * What is known of a version.
   *
   * @param facts that lists have, too
   * @param publishedAt when the version was
   * @param createdAt when the adapter was
   */
  record Row(ModelInfo.Facts facts, Instant publishedAt, Instant createdAt) {}

  /** A name of a version, with the digest of its file. */
  record Named(String name, Sha256 digest) {}

  Row read(ReferenceResolver.Located version) {
    return database
        .sql(
            """
            select v.base, v.task, v.license, v.tags, v.published_at, a.created_at, a.private,
              (select sum(w.downloads) from version w where w.adapter_id = a.id) as downloads
            from version v join adapter a on a.id = v.adapter_id where v.id = ?""")
        .params(version.versionId())
        .query((row, _) -> row(version.adapter(), row))
        .single();
  }

  /** Describes an adapter that was created and never had a version. */
  Optional<ModelInfo> findCreated(AdapterName adapter) {
    return database
        .sql(
            """
            select a.created_at, a.private from adapter a join namespace n on n.id = a.namespace_id
            where n.name = ? and a.name = ?
              and not exists (select from version v where v.adapter_id = a.id)""")
        .params(adapter.namespace(), adapter.name())
        .query(
            (row, _) ->
                ModelInfo.ofCreated(
                    new ModelInfo.Facts(
                        adapter, row.getBoolean("private"), 0, "", "", "", List.of()),
                    row.getTimestamp("created_at").toInstant()))
        .optional();
  }

  /** Lists version numbers and aliases of an adapter that the caller sees. */
  List<Named> names(AdapterName adapter) {
    return database
        .sql(
            """
            with mine as (
              select v.id, v.version, v.digest, v.precedence from version v
              join adapter a on a.id = v.adapter_id join namespace n on n.id = a.namespace_id
              where n.name = :namespace and a.name = :name and v.deleted_at is null)
            select version as name, digest, 0 as kind, precedence from mine
            union all
            select l.name, m.digest, 1, m.precedence from alias l join mine m on m.id = l.version_id
            order by kind, precedence desc, name""")
        .param("namespace", adapter.namespace())
        .param("name", adapter.name())
        .query((row, _) -> new Named(row.getString("name"), Sha256.parse(row.getString("digest"))))
        .list();
  }

  private static Row row(AdapterName adapter, ResultSet row) throws SQLException {
    return new Row(
        new ModelInfo.Facts(
            adapter,
            row.getBoolean("private"),
            row.getLong("downloads"),
            row.getString("base"),
            row.getString("task"),
            row.getString("license"),
            List.of((String[]) row.getArray("tags").getArray())),
        row.getTimestamp("published_at").toInstant(),
        row.getTimestamp("created_at").toInstant());
  }
}
