package dev.nola.registry.pages;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.Facets;
import dev.nola.registry.catalog.Search;
import io.swagger.v3.oas.annotations.Hidden;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;

/** The first page: search with facets. */
@Controller
@Hidden
class SearchController {
  private static final int ROWS = 20;

  private final Search search;
  private final Facets facets;

  SearchController(Search search, Facets facets) {
    this.search = search;
    this.facets = facets;
  }

  @GetMapping("/")
  String search(
      @ParameterObject Search.Query query,
      @RequestParam(required = false) @Nullable String sort,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller,
      Model model) {
    SearchAddress address = SearchAddress.of(query, sort);
    Page<AdapterSummary> page =
        Objects.requireNonNull(
            search.search(caller, query, address.sort(), ROWS, cursor).getBody());
    Map<Facets.Property, List<Facets.Count>> counts = facets.count(caller, query);
    model.addAttribute("query", query);
    model.addAttribute("search", address);
    model.addAttribute("adapters", page.items());
    model.addAttribute("next", page.next() == null ? null : address.page(page.next()));
    model.addAttribute("facets", FacetView.of(counts, address));
    model.addAttribute("later", cursor != null);
    return "search";
  }
}
