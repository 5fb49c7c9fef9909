package dev.nola.registry.web;

import dev.nola.api.Page;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;

/** Answers with a page of a list, and a {@code Link} (RFC 8288) to the one after it. */
public final class Pages {
  /** Limit of a request that sets none. */
  public static final String DEFAULT_LIMIT = "20";

  static final int MAX_LIMIT = 100;

  private Pages() {}

  /**
   * Returns how many rows to fetch for a page: one more than its limit, to see whether another page
   * follows.
   *
   * @param limit requested number of items
   * @return number of rows
   * @throws Refusal with status 422 if the limit is out of range
   */
  public static int fetch(int limit) {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw Refusal.invalid("limit", "invalid limit: " + limit + "; must be 1 to " + MAX_LIMIT);
    }
    return limit + 1;
  }

  /**
   * Cuts fetched rows to a page, and links to the next one.
   *
   * @param <R> a row
   * @param <T> an item of the page
   * @param fetched at most one row more than the limit
   * @param limit requested number of items
   * @param cursor returns the position after a row
   * @param item turns a row into an item
   * @return the page
   */
  public static <R, T> ResponseEntity<Page<T>> of(
      List<R> fetched, int limit, Function<R, Cursor> cursor, Function<R, T> item) {
    boolean hasMore = fetched.size() > limit;
    List<R> rows = hasMore ? fetched.subList(0, limit) : fetched;
    return answer(
        new Page<>(
            rows.stream().map(item).toList(),
            hasMore ? cursor.apply(rows.getLast()).toString() : null));
  }

  private static <T> ResponseEntity<Page<T>> answer(Page<T> page) {
    HttpHeaders headers = new HttpHeaders();
    @Nullable String next = page.next();
    if (next != null) {
      String url =
          ServletUriComponentsBuilder.fromCurrentRequest()
              .replaceQueryParam("cursor", next)
              // Relative to the server: the request's Host is the client's own word.
              .scheme(null)
              .host(null)
              .port(null)
              .build()
              .toUriString();
      headers.set(HttpHeaders.LINK, "<" + url + ">; rel=\"next\"");
    }
    return new ResponseEntity<>(page, headers, 200);
  }
}
