package dev.nola.registry.catalog;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.AdapterSummary;
import dev.nola.api.Alias;
import dev.nola.api.Page;
import dev.nola.api.Visibility;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Pages;
import dev.nola.registry.web.Refusal;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/v1/adapters")
@Tag(name = "Adapters")
class AdapterController {
  private final Adapters adapters;
  private final AdapterRepository repository;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final Access access;
  private final Search search;

  AdapterController(
      Adapters adapters,
      AdapterRepository repository,
      VersionRepository versions,
      AliasRepository aliases,
      Access access,
      Search search) {
    this.adapters = adapters;
    this.repository = repository;
    this.versions = versions;
    this.aliases = aliases;
    this.access = access;
    this.search = search;
  }

  @GetMapping
  @Operation(
      summary = "Search adapters",
      description =
          "Adapters that have a latest version, described by it. Filters apply to the matches of q,"
              + " or to all adapters without q.")
  ResponseEntity<Page<AdapterSummary>> search(
      @Parameter(
              description =
                  "Words in name, base model, task, tags and description; \"a phrase\", or, -not.")
          @RequestParam(required = false)
          @Nullable String q,
      @Parameter(description = "Name of the base model.") @RequestParam(required = false)
          @Nullable String base,
      @Parameter(description = "For example philox-srht.") @RequestParam(required = false)
          @Nullable String generator,
      @RequestParam(required = false) @Nullable Integer bits,
      @RequestParam(required = false) @Nullable Integer rank,
      @Parameter(description = "May be repeated; adapters must have all tags.")
          @RequestParam(required = false)
          @Nullable List<String> tag,
      @RequestParam(required = false) @Nullable String namespace,
      @Parameter(description = "Whether workers have verified the latest version.")
          @RequestParam(required = false)
          @Nullable Boolean verified,
      @Parameter(
              description =
                  "relevance (default with q, and only with q), updated, downloads or name.")
          @RequestParam(required = false)
          @Nullable String sort,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    return search.search(
        caller,
        new Search.Query(
            q, base, generator, bits, rank, tag == null ? List.of() : tag, namespace, verified),
        sort,
        limit,
        cursor);
  }

  @GetMapping("/{namespace}/{name}")
  @Operation(summary = "Read an adapter")
  AdapterDetails get(@PathVariable String namespace, @PathVariable String name, Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    return show(adapter, adapters.see(caller, adapter));
  }

  @PatchMapping("/{namespace}/{name}")
  @Transactional
  @Operation(
      summary = "Change an adapter's description or visibility",
      description = "Members of the namespace may change the description, owners the visibility.")
  AdapterDetails change(
      @PathVariable String namespace,
      @PathVariable String name,
      @RequestBody AdapterChange change,
      Caller caller) {
    AdapterName adapter = new AdapterName(namespace, name);
    AdapterEntity found = adapters.lock(caller, adapter);
    if (change.description() != null) {
      if (change.description().length() > CatalogRules.MAX_DESCRIPTION) {
        throw Refusal.invalid(
            "description",
            "description has %d characters; the limit is %d"
                .formatted(change.description().length(), CatalogRules.MAX_DESCRIPTION));
      }
      found.description = change.description();
    }
    if (change.visibility() != null && change.visibility() != found.visibility()) {
      access.requireOwner(caller, namespace);
      found.isPrivate = change.visibility() == Visibility.PRIVATE;
    }
    repository.saveAndFlush(found); // the listing is renewed by SQL, which must see it
    adapters.changed(
        adapter,
        found.id(),
        caller,
        "adapter.change",
        adapter.toString(),
        found.visibility().name().toLowerCase());
    return show(adapter, found);
  }

  private AdapterDetails show(AdapterName name, AdapterEntity adapter) {
    SortedMap<String, String> versionsByAlias = new TreeMap<>();
    for (Alias alias : aliases.ofAdapter(adapter.id())) {
      versionsByAlias.put(alias.alias(), alias.version());
    }
    VersionEntity latest = versions.findLatest(adapter.id()).orElse(null);
    String own = latest == null ? "" : latest.description;
    return new AdapterDetails(
        name.namespace(),
        name.name(),
        adapter.description.isEmpty() ? own : adapter.description,
        adapter.visibility(),
        latest == null ? null : latest.version,
        versionsByAlias,
        versions.downloads(adapter.id()),
        adapter.createdAt);
  }
}
