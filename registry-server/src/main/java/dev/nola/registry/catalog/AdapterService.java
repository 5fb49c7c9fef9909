package dev.nola.registry.catalog;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.Alias;
import dev.nola.api.Visibility;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Reads and changes adapters, if the caller may. */
@Service
class AdapterService {
  private final AdapterAccess adapters;
  private final AdapterRepository repository;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final Access access;

  AdapterService(
      AdapterAccess adapters,
      AdapterRepository repository,
      VersionRepository versions,
      AliasRepository aliases,
      Access access) {
    this.adapters = adapters;
    this.repository = repository;
    this.versions = versions;
    this.aliases = aliases;
    this.access = access;
  }

  /**
   * Reads an adapter.
   *
   * @param caller of the request
   * @param adapter its name
   * @return the adapter
   * @throws Refusal with status 404 if the caller sees no such adapter
   */
  AdapterDetails get(Caller caller, AdapterName adapter) {
    return show(adapter, adapters.see(caller, adapter));
  }

  /**
   * Changes an adapter's description or visibility.
   *
   * @param caller of the request
   * @param adapter its name
   * @param change new values; null for those to keep
   * @return the adapter
   * @throws Refusal if the caller may not, or the description is too long
   */
  @Transactional
  AdapterDetails change(Caller caller, AdapterName adapter, AdapterChange change) {
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
      access.requireOwner(caller, adapter.namespace());
      found.isPrivate = change.visibility() == Visibility.PRIVATE;
    }
    repository.saveAndFlush(found); // the listing is renewed by SQL, which must see it
    adapters.changed(
        adapter,
        found.id(),
        caller,
        "adapter.change",
        adapter.toString(),
        Label.of(found.visibility()));
    return show(adapter, found);
  }

  private AdapterDetails show(AdapterName name, AdapterEntity adapter) {
    SortedMap<String, String> versionsByAlias = new TreeMap<>();
    for (Alias alias : aliases.ofAdapter(adapter.id())) {
      versionsByAlias.put(alias.alias(), alias.version());
    }
    VersionEntity latest = versions.findLatest(adapter.id()).orElse(null);
    String latestDescription = latest == null ? "" : latest.description;
    return new AdapterDetails(
        name.namespace(),
        name.name(),
        adapter.description.isEmpty() ? latestDescription : adapter.description,
        adapter.visibility(),
        latest == null ? null : latest.version,
        versionsByAlias,
        versions.downloads(adapter.id()),
        adapter.createdAt);
  }
}
