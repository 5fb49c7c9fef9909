package dev.nola.registry.catalog;

import jakarta.annotation.PreDestroy;
import java.util.Comparator;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Counts downloads in memory, and adds them to the database every ten seconds and when the server
 * ends; a server that is killed loses what it counted since.
 */
@Component
class Downloads {
  private final JdbcTemplate database;
  private final TransactionTemplate transaction;
  private final Map<Key, Long> counts = new ConcurrentHashMap<>();

  private record Key(long adapterId, long versionId) {}

  Downloads(JdbcTemplate database, TransactionTemplate transaction) {
    this.database = database;
    this.transaction = transaction;
  }

  /** Counts one. */
  void count(References.Located version) {
    counts.merge(new Key(version.adapterId(), version.versionId()), 1L, Long::sum);
  }

  @Scheduled(fixedDelayString = "PT10S")
  @PreDestroy
  void write() {
    // In ascending order, so that two servers do not wait for each other.
    SortedMap<Key, Long> batch = new TreeMap<>(Comparator.comparingLong(Key::versionId));
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

  private void add(Map<Key, Long> batch) {
    database.batchUpdate(
        "update version set downloads = downloads + ? where id = ?",
        batch.entrySet().stream()
            .map(e -> new Object[] {e.getValue(), e.getKey().versionId()})
            .toList());
    database.batchUpdate(
        "update listing set downloads = downloads + ? where adapter_id = ?",
        batch.entrySet().stream()
            .map(e -> new Object[] {e.getValue(), e.getKey().adapterId()})
            .toList());
  }
}
