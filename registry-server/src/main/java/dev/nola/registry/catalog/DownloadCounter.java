package dev.nola.registry.catalog;

import jakarta.annotation.PreDestroy;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Counts downloads in memory, and adds them to the database every ten seconds and when the server
 * ends; a server that is killed loses what it counted since.
 */
@Component
public class DownloadCounter {
  private final JdbcClient database;
  private final TransactionTemplate transaction;
  private final Map<Key, Long> counts = new ConcurrentHashMap<>();

  private record Key(long adapterId, long versionId) {}

  DownloadCounter(JdbcClient database, TransactionTemplate transaction) {
    this.database = database;
    this.transaction = transaction;
  }

  /**
   * Counts one.
   *
   * @param version that is downloaded
   */
  public void count(ReferenceResolver.Located version) {
    counts.merge(new Key(version.adapterId(), version.versionId()), 1L, Long::sum);
  }

  @Scheduled(fixedDelayString = "PT10S")
  @PreDestroy
  void write() {
    Map<Key, Long> batch = new HashMap<>();
    for (Key key : counts.keySet()) {
      Long count = counts.remove(key);
      if (count != null) {
        batch.put(key, count);
      }
    }
    if (batch.isEmpty()) {
      return;
    }
    try {
      transaction.executeWithoutResult(_ -> add(batch));
    } catch (RuntimeException e) {
      batch.forEach((key, count) -> counts.merge(key, count, Long::sum));
      throw e;
    }
  }

  /**
   * Takes locks in the order of {@link Versions#lock}: adapters, by id, before all else of them.
   */
  private void add(Map<Key, Long> batch) {
    SortedMap<Long, Long> byAdapter = new TreeMap<>();
    batch.forEach((key, count) -> byAdapter.merge(key.adapterId(), count, Long::sum));
    Versions.lockAdapters(database, byAdapter.keySet());
    database
        .sql(
            """
            update version v set downloads = v.downloads + counted.downloads
            from unnest(?::bigint[], ?::bigint[]) as counted (id, downloads)
            where v.id = counted.id""")
        .params(
            batch.keySet().stream().map(Key::versionId).toArray(Long[]::new),
            batch.values().toArray(Long[]::new))
        .update();
    database
        .sql(
            """
            update listing l set downloads = l.downloads + counted.downloads
            from unnest(?::bigint[], ?::bigint[]) as counted (id, downloads)
            where l.adapter_id = counted.id""")
        .params(byAdapter.keySet().toArray(Long[]::new), byAdapter.values().toArray(Long[]::new))
        .update();
  }
}
