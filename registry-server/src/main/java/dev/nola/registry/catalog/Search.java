package dev.nola.registry.catalog;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Comparison;
import dev.nola.api.Page;
import dev.nola.api.Verification;
import dev.nola.api.Visibility;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import io.swagger.v3.oas.annotations.Parameter;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Searches the listings. Every page is found by the sort key of the last row before it, and so
 * costs the same however far down it is.
 *
 * <p>Ranking is capped: of a query that finds more than five hundred adapters, the five hundred
 * most recently updated are ranked. A word that half the catalog has then costs no more than a rare
 * one.
 */
@Component
public class Search {
  private static final int MAX_QUERY = 500;
  private static final int RANKED = 500;

  /** The same words by both dictionaries that {@code ListingUpdater} uses. */
  private static final String TSQUERY =
      "(websearch_to_tsquery('simple', :q) || websearch_to_tsquery('english', :q))";

  private final JdbcClient database;
  private final Access access;

  Search(JdbcClient database, Access access) {
    this.database = database;
    this.access = access;
  }

  /**
   * Conditions on adapters; null accepts any. Has a component for each parameter of a request.
   *
   * @param q words to search for
   * @param base name of the base model
   * @param task what adapters are for
   * @param generator label of the generator
   * @param bits width of the codes
   * @param rank of the factors
   * @param tag tags that adapters must have
   * @param namespace of the adapters
   * @param verified whether workers have verified the latest version
   */
  public record Query(
      @Parameter(
              description =
                  "Words in name, base model, task, tags and description; \"a phrase\", or, -not.")
          @Nullable String q,
      @Parameter(description = "Name of the base model.") @Nullable String base,
      @Parameter(description = "What adapters are for.") @Nullable String task,
      @Parameter(description = "For example philox-srht.") @Nullable String generator,
      @Parameter(description = "Largest width of the codes, 1 to 16 bits.") @Nullable Integer bits,
      @Parameter(description = "Largest rank of the layers; 0 for the direct form.")
          @Nullable Integer rank,
      @Parameter(description = "May be repeated; adapters must have all tags.")
          @Nullable List<String> tag,
      @Nullable String namespace,
      @Parameter(description = "Whether workers have verified the latest version.")
          @Nullable Boolean verified) {
    private void requireLegal() {
      if (q != null && q.length() > MAX_QUERY) {
        throw Refusal.invalid(
            "q", "q has %d characters; the limit is %d".formatted(q.length(), MAX_QUERY));
      }
      new FilterRules()
          .namespace(namespace)
          .generator(generator)
          .bits(bits)
          .rank(rank)
          .tags(tag)
          .require();
    }

    private boolean hasWords() {
      return q != null && !q.isBlank();
    }
  }

  /** An order, with the condition on rows after a key; the last part of a key is unique. */
  private enum Sort {
    RELEVANCE("score desc, l.adapter_id desc", "(score, l.adapter_id) < (:k0, :k1)"),
    UPDATED(
        "l.updated_at desc, l.adapter_id desc",
        "(l.updated_at, l.adapter_id) < (to_timestamp(0) + :k0 * interval '1 microsecond', :k1)"),
    DOWNLOADS("l.downloads desc, l.adapter_id desc", "(l.downloads, l.adapter_id) < (:k0, :k1)"),
    NAME("l.namespace, l.name", "(l.namespace, l.name) > (:k0, :k1)");

    private final String order;
    private final String continuation;

    Sort(String order, String continuation) {
      this.order = order;
      this.continuation = continuation;
    }

    static Sort parse(@Nullable String text, boolean hasQuery) {
      if (text == null) {
        return hasQuery ? RELEVANCE : UPDATED;
      }
      return Arrays.stream(values())
          .filter(sort -> Label.of(sort).equals(text))
          .filter(sort -> sort != RELEVANCE || hasQuery)
          .findFirst()
          .orElseThrow(
              () ->
                  Refusal.invalid(
                      "sort",
                      "invalid sort: %s; must be updated, downloads, name or, with q, relevance"
                          .formatted(Refusal.shown(text))));
    }
  }

  /** A row of the result, with its sort key. */
  private record Hit(AdapterSummary adapter, long adapterId, long updatedMicros, long score) {
    Cursor cursor(Sort sort) {
      String id = Long.toString(adapterId);
      List<String> key =
          switch (sort) {
            case RELEVANCE -> List.of(Long.toString(score), id);
            case UPDATED -> List.of(Long.toString(updatedMicros), id);
            case DOWNLOADS -> List.of(Long.toString(adapter.downloads()), id);
            case NAME -> List.of(adapter.namespace(), adapter.name());
          };
      return new Cursor(sort.name(), key);
    }
  }

  /**
   * Finds adapters that the caller may see.
   *
   * @param caller of the request
   * @param query conditions
   * @param order updated, downloads, name or, with words, relevance; null for the default
   * @param limit maximum number of adapters
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws Refusal with status 422 if a value breaks a rule
   */
  public ResponseEntity<Page<AdapterSummary>> search(
      Caller caller, Query query, @Nullable String order, int limit, @Nullable String cursor) {
    Sort sort = Sort.parse(order, query.hasWords());
    Map<String, Object> parameters = new HashMap<>();
    String where = conditions(caller, query, parameters);
    String continuation = "true";
    if (cursor != null) {
      continuation = sort.continuation;
      Cursor key = Cursor.parse(cursor, sort.name(), 2);
      parameters.put("k0", sort == Sort.NAME ? key.key().get(0) : (Object) key.number(0));
      parameters.put("k1", sort == Sort.NAME ? key.key().get(1) : (Object) key.number(1));
    }
    String listings =
        sort == Sort.RELEVANCE
            ? """
            (select *, (ts_rank(words, %s) * 1000000)::bigint as score from (
              select * from listing l where %s
              order by l.updated_at desc, l.adapter_id desc limit %d) hits) l\
            """
                .formatted(TSQUERY, where, RANKED)
            : "(select *, 0::bigint as score from listing l where %s) l".formatted(where);
    parameters.put("limit", Pages.fetch(limit));
    List<Hit> hits =
        database
            .sql(
                """
                select l.*, v.version, v.coefficients, v.size, v.lora_bytes,
                  v.tensor_bytes, v.license, v.verification,
                  v.disputed,
                  (extract(epoch from l.updated_at) * 1000000)::bigint as updated_micros,
                  case when a.description = '' then v.description else a.description end
                    as description
                from (select * from %s where %s order by %s limit :limit) l
                join version v on v.id = l.version_id
                join adapter a on a.id = l.adapter_id
                order by %s\
                """
                    .formatted(listings, continuation, sort.order, sort.order))
            .params(parameters)
            .query((row, _) -> hit(row))
            .list();
    return Pages.of(hits, limit, hit -> hit.cursor(sort), Hit::adapter);
  }

  /**
   * Returns the conditions, joined by {@code and}, on the listings {@code l} that a query finds.
   *
   * @param caller of the request
   * @param query what to find
   * @param parameters receives the values of the conditions
   */
  String conditions(Caller caller, Query query, Map<String, Object> parameters) {
    query.requireLegal();
    List<String> conditions = new ArrayList<>();
    if (!caller.readsAll()) {
      List<String> visible = List.copyOf(access.namespacesOf(caller));
      conditions.add(
          visible.isEmpty() ? "not l.private" : "(not l.private or l.namespace in (:visible))");
      parameters.put("visible", visible);
    }
    if (query.hasWords()) {
      conditions.add("l.words @@ " + TSQUERY);
      parameters.put("q", separated(String.valueOf(query.q())));
    }
    equal(conditions, parameters, "base", query.base());
    equal(conditions, parameters, "task", query.task());
    equal(conditions, parameters, "generator", query.generator());
    equal(conditions, parameters, "bits", query.bits());
    equal(conditions, parameters, "rank", query.rank());
    equal(conditions, parameters, "namespace", query.namespace());
    equal(conditions, parameters, "verified", query.verified());
    if (query.tag() != null && !query.tag().isEmpty()) {
      conditions.add("l.tags @> string_to_array(:tags, chr(31))");
      parameters.put("tags", String.join("\u001f", query.tag()));
    }
    conditions.add("true");
    return String.join(" and ", conditions);
  }

  private static void equal(
      List<String> conditions,
      Map<String, Object> parameters,
      String column,
      @Nullable Object value) {
    if (value != null) {
      conditions.add("l.%s = :%s".formatted(column, column));
      parameters.put(column, value);
    }
  }

  /** Separators within a word become spaces, as in the listings; a leading hyphen stays a "not". */
  private static String separated(String query) {
    return query.replaceAll("(?<=[\\p{L}\\p{N}])[-/._](?=[\\p{L}\\p{N}])", " ");
  }

  private static Hit hit(ResultSet row) throws SQLException {
    Array tags = row.getArray("tags");
    return new Hit(
        new AdapterSummary(
            row.getString("namespace"),
            row.getString("name"),
            row.getString("description"),
            row.getBoolean("private") ? Visibility.PRIVATE : Visibility.PUBLIC,
            row.getString("version"),
            row.getString("base"),
            row.getString("generator"),
            row.getInt("rank"),
            row.getInt("bits"),
            row.getLong("coefficients"),
            row.getLong("size"),
            Comparison.of(
                row.getObject("lora_bytes", Long.class),
                row.getLong("tensor_bytes"),
                row.getLong("size")),
            row.getString("task"),
            row.getString("license"),
            List.of((String[]) tags.getArray()),
            Verification.valueOf(row.getString("verification")),
            row.getBoolean("disputed"),
            row.getLong("downloads"),
            row.getTimestamp("updated_at").toInstant()),
        row.getLong("adapter_id"),
        row.getLong("updated_micros"),
        row.getLong("score"));
  }
}
