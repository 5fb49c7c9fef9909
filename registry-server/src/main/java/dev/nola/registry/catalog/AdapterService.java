package dev.nola.registry.catalog;

import dev.nola.api.AdapterChange;
import dev.nola.api.AdapterDetails;
import dev.nola.api.Alias;
import dev.nola.api.Visibility;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.VersionNumber;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Label;
import java.time.Clock;
import java.util.SortedMap;
import java.util.TreeMap;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Creates, reads and changes adapters, if the caller may. */
@Service
public class AdapterService {
  private static final String FIRST_VERSION = "1.0.0";

  private final AdapterAccess adapters;
  private final AdapterRepository repository;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final Access access;
  private final Clock clock;

  AdapterService(
      AdapterAccess adapters,
      AdapterRepository repository,
      VersionRepository versions,
      AliasRepository aliases,
      Access access,
      Clock clock) {
    this.adapters = adapters;
    this.repository = repository;
    this.versions = versions;
    this.aliases = aliases;
    this.access = access;
    this.clock = clock;
  }

  /**
   * Creates an adapter without versions, unless it exists.
   *
   * @param caller of the request
   * @param adapter its name
   * @param visibility of a new one
   * @return whether it is new
   * @throws Refusal if the namespace does not exist, the caller is not a member of it, or the name
   *     breaks a rule
   */
  @Transactional
  public boolean create(Caller caller, AdapterName adapter, Visibility visibility) {
    String namespace = adapter.namespace();
    long namespaceId =
        access.idOf(namespace).orElseThrow(() -> Refusal.notFound("namespace " + namespace));
    access.requireMember(caller, namespace);
    if (!NameRule.NAME.isMet(adapter.name())) {
      throw Refusal.invalid(NameRule.NAME.field(), NameRule.NAME.message(adapter.name()));
    }
    boolean isPrivate = visibility == Visibility.PRIVATE;
    if (repository.insertIfAbsent(namespaceId, adapter.name(), isPrivate, clock.instant()) == 0) {
      return false;
    }
    adapters.changed(
        adapter,
        adapters.lock(caller, adapter).id(),
        caller,
        "adapter.create",
        adapter.toString(),
        Label.of(visibility));
    return true;
  }

  /**
   * Requires that the caller may publish versions of an adapter that exists.
   *
   * @param caller of the request
   * @param adapter its name
   * @throws Refusal with status 404 if it does not exist or the caller may not see it, 403 if it
   *     may only do that
   */
  public void requirePublisher(Caller caller, AdapterName adapter) {
    adapters.requireMember(caller, adapter);
    adapters.see(caller, adapter);
  }

  /**
   * Returns the number that the next version of an adapter has by default: 1.0.0, or that of the
   * highest release, also if it was yanked or deleted, with a patch number that is one higher.
   *
   * @param caller of the request
   * @param adapter its name
   * @return the number
   * @throws Refusal with status 404 if the caller does not see the adapter, 422 if the patch number
   *     is the highest
   */
  public String nextVersion(Caller caller, AdapterName adapter) {
    String highest = versions.highestRelease(adapters.see(caller, adapter).id()).orElse(null);
    if (highest == null) {
      return FIRST_VERSION;
    }
    try {
      return VersionNumber.parse(highest).nextPatch().text();
    } catch (IllegalArgumentException e) {
      throw Refusal.invalid(NameRule.VERSION.field(), String.valueOf(e.getMessage()));
    }
  }

  /**
   * Reads an adapter.
   *
   * @param caller of the request
   * @param adapter its name
   * @return the adapter
   * @throws Refusal with status 404 if the caller does not see the adapter
   */
  public AdapterDetails get(Caller caller, AdapterName adapter) {
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
