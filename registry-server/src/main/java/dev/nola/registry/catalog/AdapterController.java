package dev.nola.registry.catalog;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.annotations.ParameterObject;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints to search, read and change adapters. */
@RestController
@RequestMapping("/api/v1/adapters")
@Tag(name = "Adapters")
class AdapterController {
  private final AdapterService adapters;
  private final Search search;

  AdapterController(AdapterService adapters, Search search) {
    this.adapters = adapters;
    this.search = search;
  }

  @GetMapping
  @Operation(
      summary = "Search adapters",
      description =
          "Adapters that have a latest version, described by it. Filters apply to the matches of q,"
              + " or to all adapters without q.")
  ResponseEntity<Page<AdapterSummary>> search(
      @ParameterObject Search.Query query,
      @Parameter(
              description = "relevance is the default with q, and needs q.",
              schema = @Schema(allowableValues = {"relevance", "updated", "downloads", "name"}))
          @RequestParam(required = false)
          @Nullable String sort,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return search.search(caller, query, sort, limit, cursor);
  }

  @GetMapping("/{namespace}/{name}")
  @Operation(summary = "Read an adapter")
  AdapterDetails get(@PathVariable String namespace, @PathVariable String name, Caller caller) {
    return adapters.get(caller, new AdapterName(namespace, name));
  }

  @PatchMapping("/{namespace}/{name}")
  @Operation(
      summary = "Change an adapter's description or visibility",
      description = "Members of the namespace may change the description, owners the visibility.")
  AdapterDetails change(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestBody AdapterChange change,
      Caller caller) {
    return adapters.change(caller, new AdapterName(namespace, name), change);
  }
}
