package dev.nola.client.http;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the parameters of a request's query and encodes them. */
public final class Query {
  /** Items on the longest page that a registry returns. */
  private static final int LONGEST_PAGE = 100;

  private final List<String> parameters = new ArrayList<>();

  /**
   * Adds a parameter unless its value is null.
   *
   * @param name the parameter's name
   * @param value the parameter's value, or null to leave it out
   * @return this query
   */
  public Query add(String name, @Nullable Object value) {
    if (value != null) {
      parameters.add(name + "=" + encode(value.toString()));
    }
    return this;
  }

  /**
   * Adds the parameters of a page, with as many items as possible.
   *
   * @param cursor the cursor of the page; null for the first
   * @return this query
   */
  public Query page(@Nullable String cursor) {
    return add("limit", LONGEST_PAGE).add("cursor", cursor);
  }

  /**
   * Encodes a text as a segment of a path or a value of a query.
   *
   * @param text the text
   * @return the text with what is special in a URL percent-encoded
   */
  public static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Returns the query with its question mark, or nothing if it has no parameters. */
  @Override
  public String toString() {
    return parameters.isEmpty() ? "" : "?" + String.join("&", parameters);
  }
}
