package dev.nola.registry.pages;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * The filters of a list of jobs, as its address has them; null accepts any.
 *
 * @param state of the jobs
 * @param type of the jobs
 * @param namespace of the jobs
 */
record JobAddress(@Nullable String state, @Nullable String type, @Nullable String namespace) {
  /** Returns the address of the list with another state; null for any. */
  public String withState(@Nullable String other) {
    return new JobAddress(other, type, namespace).page(null);
  }

  /** Returns the address of the list with another type; null for any. */
  public String withType(@Nullable String other) {
    return new JobAddress(state, other, namespace).page(null);
  }

  /** Returns whether any filter is set. */
  public boolean isSet() {
    return state != null || type != null || namespace != null;
  }

  /** Returns the address of the page after a cursor; null for the first page. */
  String page(@Nullable String cursor) {
    UriComponentsBuilder address = UriComponentsBuilder.fromPath("/jobs");
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("state", state);
    values.put("type", type);
    values.put("namespace", namespace);
    values.put("cursor", cursor);
    values.values().removeIf(Objects::isNull);
    values.keySet().forEach(name -> address.queryParam(name, "{" + name + "}"));
    return address.encode().buildAndExpand(values).toUriString();
  }
}
