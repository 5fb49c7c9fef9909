package dev.nola.registry.catalog;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import dev.nola.api.Contents;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads and writes the contents of version files. They can be long, are seldom requested and never
 * change: so they have their own table, and the latest requested ones stay in memory.
 */
@Component
class ContentsStore {
  /** Each takes a few hundred bytes. */
  private static final long CACHED_LAYERS = 50_000;

  private final JdbcClient database;
  private final JsonMapper json;
  private final LoadingCache<Long, Contents> known =
      Caffeine.newBuilder()
          .maximumWeight(CACHED_LAYERS)
          .weigher((Long _, Contents contents) -> 1 + contents.layers().size())
          .build(this::read);

  ContentsStore(JdbcClient database, JsonMapper json) {
    this.database = database;
    this.json = json;
  }

  Contents get(long versionId) {
    return known.get(versionId);
  }

  /** Stores the contents of a version, in the transaction that adds it. */
  void add(long versionId, Contents contents) {
    database
        .sql("insert into version_contents (version_id, contents) values (?, ?::json)")
        .params(versionId, json.writeValueAsString(contents))
        .update();
  }

  private Contents read(long versionId) {
    return json.readValue(
        database
            .sql("select contents from version_contents where version_id = ?")
            .params(versionId)
            .query(String.class)
            .single(),
        Contents.class);
  }
}
