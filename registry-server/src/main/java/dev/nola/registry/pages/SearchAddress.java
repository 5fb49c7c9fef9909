package dev.nola.registry.pages;

import dev.nola.registry.catalog.Search;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * The address of a search: its parameters, and those of the searches next to it.
 *
 * @param parameters names and values of the filters, without the words
 * @param words to search for; empty for none
 * @param sort order; null for the default
 */
record SearchAddress(List<Parameter> parameters, String words, @Nullable String sort) {
  /**
   * A filter.
   *
   * @param name of the parameter
   * @param value of the parameter
   */
  record Parameter(String name, String value) {}

  static SearchAddress of(Search.Query query, @Nullable String sort) {
    List<Parameter> parameters = new ArrayList<>();
    add(parameters, "base", query.base());
    add(parameters, "task", query.task());
    add(parameters, "generator", query.generator());
    add(parameters, "bits", query.bits());
    add(parameters, "rank", query.rank());
    add(parameters, "namespace", query.namespace());
    add(parameters, "verified", query.verified());
    if (query.tag() != null) {
      query.tag().forEach(tag -> add(parameters, "tag", tag));
    }
    boolean ranked = query.q() != null && !query.q().isBlank();
    return new SearchAddress(
        List.copyOf(parameters),
        ranked ? query.q() : "",
        sort == null || sort.isEmpty() || (!ranked && sort.equals("relevance")) ? null : sort);
  }

  private static void add(List<Parameter> parameters, String name, @Nullable Object value) {
    if (value != null && !value.toString().isEmpty()) {
      parameters.add(new Parameter(name, value.toString()));
    }
  }

  boolean has(Parameter parameter) {
    return parameters.contains(parameter);
  }

  /** Returns the address with a filter, in place of those of the same name unless it is a tag. */
  String with(Parameter added) {
    List<Parameter> all = new ArrayList<>(parameters);
    if (!added.name().equals("tag")) {
      all.removeIf(parameter -> parameter.name().equals(added.name()));
    }
    all.add(added);
    return address(all, sort, null);
  }

  /** Returns the address without a filter. */
  public String without(Parameter removed) {
    return address(
        parameters.stream().filter(parameter -> !parameter.equals(removed)).toList(), sort, null);
  }

  /** Returns the address of the page after a cursor. */
  String page(String cursor) {
    return address(parameters, sort, cursor);
  }

  private String address(List<Parameter> filters, @Nullable String order, @Nullable String cursor) {
    UriComponentsBuilder address = UriComponentsBuilder.fromPath("/");
    List<Parameter> all = new ArrayList<>();
    add(all, "q", words);
    all.addAll(filters);
    add(all, "sort", order);
    add(all, "cursor", cursor);
    List<String> values = new ArrayList<>();
    for (Parameter parameter : all) {
      address.queryParam(parameter.name(), "{value" + values.size() + "}");
      values.add(parameter.value());
    }
    return address.encode().buildAndExpand(values.toArray()).toUriString();
  }
}
