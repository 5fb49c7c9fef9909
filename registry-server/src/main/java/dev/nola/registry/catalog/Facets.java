package dev.nola.registry.catalog;

import dev.nola.registry.access.Caller;
import dev.nola.text.Label;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Counts what a search finds by its properties, to narrow it by them.
 *
 * <p>Of a search that finds more than {@value #COUNTED} adapters, the most recently updated ones
 * are counted, so that a count costs the same however large the catalog is.
 */
@Component
public class Facets {
  /** Maximum number of adapters that are counted. */
  public static final int COUNTED = 1000;

  private static final int VALUES = 10;

  private final JdbcClient database;
  private final Search search;

  Facets(JdbcClient database, Search search) {
    this.database = database;
    this.search = search;
  }

  /** A property of adapters; its label is the parameter that searches by it. */
  public enum Property {
    BASE("base"),
    TASK("task"),
    GENERATOR("generator"),
    BITS("bits::text"),
    TAG("unnest(tags)"),
    VERIFIED("verified::text");

    private final String sql;

    Property(String sql) {
      this.sql = sql;
    }

    /**
     * Returns the name of the parameter.
     *
     * @return such as {@code base}
     */
    public String label() {
      return Label.of(this);
    }

    private String count() {
      return "select '%s' as property, %s as value, count(*) as adapters from hit group by 2"
          .formatted(name(), sql);
    }
  }

  /**
   * A value of a property.
   *
   * @param value text of the value
   * @param adapters how many have it
   */
  public record Count(String value, long adapters) {}

  /**
   * Counts the adapters that a query finds.
   *
   * @param caller of the request
   * @param query conditions
   * @return the most frequent values of each property, most frequent first
   * @throws dev.nola.registry.web.Refusal with status 422 if a value breaks a rule
   */
  public Map<Property, List<Count>> count(Caller caller, Search.Query query) {
    Map<String, Object> parameters = new HashMap<>();
    String where = search.conditions(caller, query, parameters);
    List<String> counts = new ArrayList<>();
    for (Property property : Property.values()) {
      counts.add(property.count());
    }
    Map<Property, List<Count>> facets = new EnumMap<>(Property.class);
    database
        .sql(
            """
            with hit as materialized (
              select base, task, generator, bits, tags, verified from listing l where %s
              order by l.updated_at desc, l.adapter_id desc limit %d),
            counted as (%s),
            ranked as (
              select *, row_number() over (partition by property order by adapters desc, value) as rank
              from counted where value <> '')
            select property, value, adapters from ranked where rank <= %d order by rank\
            """
                .formatted(where, COUNTED, String.join(" union all ", counts), VALUES))
        .params(parameters)
        .query(
            row -> {
              facets
                  .computeIfAbsent(
                      Property.valueOf(row.getString("property")), _ -> new ArrayList<>())
                  .add(new Count(row.getString("value"), row.getLong("adapters")));
            });
    return facets;
  }
}
