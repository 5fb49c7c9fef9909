package dev.nola.registry.pages;

import dev.nola.api.AdapterDetails;
import dev.nola.api.Page;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.AdapterService;
import dev.nola.registry.catalog.VersionReader;
import io.swagger.v3.oas.annotations.Hidden;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;

/** The page that compares two versions of an adapter. */
@Controller
@Hidden
class CompareController {
  private static final int VERSIONS = 100;

  private final AdapterService adapters;
  private final VersionReader versions;
  private final DeltaDistances deltas;

  CompareController(AdapterService adapters, VersionReader versions, DeltaDistances deltas) {
    this.adapters = adapters;
    this.versions = versions;
    this.deltas = deltas;
  }

  /** Shows the page; {@code distances} adds what takes a while to compute. */
  @GetMapping(AdapterPageController.ADAPTER + "/compare")
  String compare(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestParam(required = false) @Nullable String from,
      @RequestParam(required = false) @Nullable String to,
      @RequestParam(defaultValue = "false") boolean distances,
      Caller caller,
      Model model)
      throws IOException {
    AdapterName adapter = new AdapterName(namespace, name);
    AdapterDetails details = adapters.get(caller, adapter);
    Page<VersionSummary> page =
        Objects.requireNonNull(versions.list(caller, adapter, VERSIONS, null).getBody());
    List<String> numbers = page.items().stream().map(VersionSummary::version).toList();
    model.addAttribute("adapter", details);
    model.addAttribute("versions", numbers);
    if (numbers.size() < 2 && (from == null || to == null)) {
      return "compare";
    }
    VersionDetails second = versions.get(caller, adapter, to == null ? numbers.getFirst() : to);
    VersionDetails first = versions.get(caller, adapter, from == null ? numbers.get(1) : from);
    model.addAttribute("from", first);
    model.addAttribute("to", second);
    model.addAttribute("difference", VersionDifference.of(first, second));
    if (distances) {
      model.addAttribute("distances", deltas.of(caller, first.digest(), second.digest()));
    }
    return "compare";
  }
}
