package dev.nola.registry.catalog;

import dev.nola.api.AdapterSummary;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads results of evaluations of many adapters at once. */
@Component
public class LatestMetrics {
  private final JdbcClient database;

  LatestMetrics(JdbcClient database) {
    this.database = database;
  }

  /**
   * Returns the metrics of the latest versions of adapters.
   *
   * @param adapters that a search found for the caller
   * @return results by name of the metric, by adapter; adapters without metrics are left out
   */
  public Map<AdapterName, SortedMap<String, Double>> of(Collection<AdapterSummary> adapters) {
    Map<AdapterName, SortedMap<String, Double>> metrics = new HashMap<>();
    database
        .sql(
            """
            select l.namespace, l.name, m.key, m.value
            from unnest(?::text[], ?::text[]) as wanted (namespace, name)
            join listing l on l.namespace = wanted.namespace and l.name = wanted.name
            join version_contents c on c.version_id = l.version_id
            cross join json_each_text(c.contents -> 'metadata' -> 'metrics') m""")
        .params(
            adapters.stream().map(AdapterSummary::namespace).toArray(String[]::new),
            adapters.stream().map(AdapterSummary::name).toArray(String[]::new))
        .query(
            row -> {
              metrics
                  .computeIfAbsent(
                      new AdapterName(row.getString("namespace"), row.getString("name")),
                      _ -> new TreeMap<>())
                  .put(row.getString("key"), Double.valueOf(row.getString("value")));
            });
    return metrics;
  }
}
