package dev.nola.registry.pages;

import dev.nola.api.AdapterSummary;
import dev.nola.registry.catalog.AdapterName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Adapters and their metrics side by side.
 *
 * @param columns what the adapters are compared by
 * @param rows the adapters in the order that was asked for
 */
record MetricTable(List<Column> columns, List<Row> rows) {
  private static final String DESCENDING = "-";
  private static final String METRIC = "metric:";

  /**
   * A column.
   *
   * @param title for people
   * @param sort value of the parameter that sorts by it, or that reverses the order
   * @param order {@code ascending} or {@code descending} if rows are sorted by it; else null
   */
  record Column(String title, String sort, @Nullable String order) {}

  /**
   * An adapter.
   *
   * @param adapter as it is listed
   * @param metrics its results, one for each metric of the table; null where it has none
   */
  record Row(AdapterSummary adapter, List<@Nullable Double> metrics) {}

  /**
   * Makes a table.
   *
   * @param adapters to be compared, last updated first
   * @param results of evaluations by adapter
   * @param sort key of a column, with a hyphen before it for the largest first; null, or one that
   *     is not a column, keeps the order of the adapters
   */
  static MetricTable of(
      List<AdapterSummary> adapters,
      Map<AdapterName, SortedMap<String, Double>> results,
      @Nullable String sort) {
    List<String> names = List.copyOf(names(results));
    List<Row> rows = new ArrayList<>();
    for (AdapterSummary adapter : adapters) {
      Map<String, Double> metrics =
          results.getOrDefault(name(adapter), Collections.emptySortedMap());
      List<@Nullable Double> values = new ArrayList<>();
      names.forEach(name -> values.add(metrics.get(name)));
      rows.add(new Row(adapter, values));
    }
    List<Column> columns = new ArrayList<>();
    columns.add(column("Adapter", "name", sort));
    columns.add(column("Size", "size", sort));
    columns.add(column("Downloads", "downloads", sort));
    names.forEach(name -> columns.add(column(name, METRIC + name, sort)));
    Comparator<Row> order = order(names, sort);
    if (order != null) {
      rows.sort(order);
    }
    return new MetricTable(columns, rows);
  }

  private static AdapterName name(AdapterSummary adapter) {
    return new AdapterName(adapter.namespace(), adapter.name());
  }

  private static TreeSet<String> names(Map<AdapterName, SortedMap<String, Double>> results) {
    TreeSet<String> names = new TreeSet<>();
    results.values().forEach(metrics -> names.addAll(metrics.keySet()));
    return names;
  }

  /** Numbers are sorted the largest first at the first click, names from the beginning. */
  private static Column column(String title, String key, @Nullable String sort) {
    boolean ascending = key.equals(sort);
    boolean descending = (DESCENDING + key).equals(sort);
    boolean next = descending || (!ascending && key.equals("name"));
    return new Column(
        title,
        next ? key : DESCENDING + key,
        ascending ? "ascending" : descending ? "descending" : null);
  }

  private static @Nullable Comparator<Row> order(List<String> names, @Nullable String sort) {
    if (sort == null) {
      return null;
    }
    boolean descending = sort.startsWith(DESCENDING);
    String key = descending ? sort.substring(1) : sort;
    if (key.equals("name")) {
      return directed(row -> name(row.adapter()).toString(), descending);
    }
    if (key.equals("size")) {
      return directed(row -> row.adapter().size(), descending);
    }
    if (key.equals("downloads")) {
      return directed(row -> row.adapter().downloads(), descending);
    }
    int metric = key.startsWith(METRIC) ? names.indexOf(key.substring(METRIC.length())) : -1;
    return metric < 0 ? null : directed(row -> row.metrics().get(metric), descending);
  }

  /** Rows without a value come last in both directions. */
  private static <T extends Comparable<T>> Comparator<Row> directed(
      Function<Row, @Nullable T> value, boolean descending) {
    Comparator<T> order = descending ? Comparator.reverseOrder() : Comparator.naturalOrder();
    return Comparator.comparing(value, Comparator.nullsLast(order));
  }
}
