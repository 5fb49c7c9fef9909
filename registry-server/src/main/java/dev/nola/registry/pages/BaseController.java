package dev.nola.registry.pages;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.LatestMetrics;
import dev.nola.registry.catalog.Search;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Hidden;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;

/** The page of a base model: its adapters side by side. */
@Controller
@Hidden
class BaseController {
  private static final int ROWS = 100;

  private final Search search;
  private final LatestMetrics metrics;

  BaseController(Search search, LatestMetrics metrics) {
    this.search = search;
    this.metrics = metrics;
  }

  @GetMapping("/base/{*model}")
  String show(
      @PathVariable String model,
      @RequestParam(required = false) @Nullable String sort,
      Caller caller,
      Model page) {
    if (model.length() < 2) { // the pattern includes the slash before the name
      throw Refusal.notFound("base model without a name");
    }
    String base = model.substring(1);
    Page<AdapterSummary> found =
        Objects.requireNonNull(
            search
                .search(
                    caller,
                    new Search.Query(null, base, null, null, null, null, null, null, null),
                    "updated",
                    ROWS,
                    null)
                .getBody());
    page.addAttribute("base", base);
    page.addAttribute("table", MetricTable.of(found.items(), metrics.of(found.items()), sort));
    page.addAttribute("rows", ROWS);
    page.addAttribute("more", found.next() != null);
    return "base";
  }
}
