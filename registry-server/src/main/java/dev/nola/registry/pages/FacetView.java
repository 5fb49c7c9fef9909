package dev.nola.registry.pages;

import dev.nola.registry.catalog.Facets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A property to narrow a search by.
 *
 * @param title for people
 * @param choices values that adapters have, most frequent first
 */
record FacetView(String title, List<Choice> choices) {
  /**
   * A value.
   *
   * @param text for people
   * @param adapters how many have it
   * @param chosen whether the search is narrowed to it
   * @param address of the search with this value, or without it if it is chosen
   */
  record Choice(String text, long adapters, boolean chosen, String address) {}

  static List<FacetView> of(Map<Facets.Property, List<Facets.Count>> counts, SearchAddress search) {
    List<FacetView> facets = new ArrayList<>();
    for (Map.Entry<Facets.Property, List<Facets.Count>> entry : counts.entrySet()) {
      Facets.Property property = entry.getKey();
      List<Choice> choices = new ArrayList<>();
      for (Facets.Count count : entry.getValue()) {
        SearchAddress.Parameter parameter =
            new SearchAddress.Parameter(property.label(), count.value());
        boolean chosen = search.has(parameter);
        choices.add(
            new Choice(
                text(property, count.value()),
                count.adapters(),
                chosen,
                chosen ? search.without(parameter) : search.with(parameter)));
      }
      facets.add(new FacetView(title(property), choices));
    }
    return facets;
  }

  private static String title(Facets.Property property) {
    return switch (property) {
      case BASE -> "Base model";
      case TASK -> "Task";
      case GENERATOR -> "Generator";
      case BITS -> "Bits of a coefficient";
      case TAG -> "Tag";
      case VERIFIED -> "Verified by workers";
    };
  }

  private static String text(Facets.Property property, String value) {
    return switch (property) {
      case BITS -> value + (value.equals("1") ? " bit" : " bits");
      case VERIFIED -> value.equals("true") ? "yes" : "no";
      default -> value;
    };
  }
}
