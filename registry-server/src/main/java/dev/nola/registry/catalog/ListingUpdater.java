package dev.nola.registry.catalog;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Keeps the listings that search reads in step with adapters and versions. */
@Component
class ListingUpdater {
  // An adapter is found by its name first, by its purpose second, by its description third.
  // Separators become spaces, else "llama-2/7b" would be one word of the kind "file name".
  private static final String RENEW =
      """
      insert into listing (adapter_id, namespace, name, private, version_id, base, generator, rank,
        bits, task, tags, verified, downloads, updated_at, words)
      select a.id, n.name, a.name, a.private, v.id, v.base, v.generator, v.rank, v.bits, v.task,
        v.tags,
        v.verification = 'VERIFIED',
        (select sum(all_versions.downloads) from version all_versions
          where all_versions.adapter_id = a.id),
        v.published_at,
        setweight(to_tsvector('simple', translate(n.name || ' ' || a.name, '/._-', '    ')), 'A')
        || setweight(to_tsvector('simple', translate(
          v.base || ' ' || v.task || ' ' || array_to_string(v.tags, ' '), '/._-', '    ')), 'B')
        || setweight(to_tsvector('english', a.description || ' ' || v.description), 'C')
      from adapter a
      join namespace n on n.id = a.namespace_id
      join version v on v.adapter_id = a.id
      where v.id = ?""";

  private final JdbcClient database;
  private final VersionRepository versions;

  ListingUpdater(JdbcClient database, VersionRepository versions) {
    this.database = database;
    this.versions = versions;
  }

  /** Lists an adapter by its latest version, or no longer if it has none. */
  void renew(long adapterId) {
    database.sql("delete from listing where adapter_id = ?").params(adapterId).update();
    versions
        .findLatest(adapterId)
        .ifPresent(latest -> database.sql(RENEW).params(latest.id()).update());
  }
}
