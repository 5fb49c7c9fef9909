package dev.nola.registry.catalog;

import dev.nola.api.Alias;
import dev.nola.api.AliasChange;
import dev.nola.api.name.NameRule;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Lists, moves and removes the aliases of adapters, if the caller may. */
@Service
public class AliasService {
  private final AdapterAccess adapters;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  AliasService(
      AdapterAccess adapters,
      VersionRepository versions,
      AliasRepository aliases,
      ApplicationEventPublisher events,
      Clock clock) {
    this.adapters = adapters;
    this.versions = versions;
    this.aliases = aliases;
    this.events = events;
    this.clock = clock;
  }

  /**
   * Lists an adapter's aliases.
   *
   * @param caller of the request
   * @param adapter of the aliases
   * @return the aliases, by name
   * @throws Refusal with status 404 if the caller sees no such adapter
   */
  public List<Alias> list(Caller caller, AdapterName adapter) {
    return aliases.ofAdapter(adapters.see(caller, adapter).id());
  }

  /**
   * Lists the changes of an alias.
   *
   * @param caller of the request
   * @param adapter of the alias
   * @param alias its name
   * @return the changes, latest first
   * @throws Refusal with status 404 if the caller sees no such adapter, or it never had the alias
   */
  public List<AliasChange> history(Caller caller, AdapterName adapter, String alias) {
    List<AliasChange> changes = aliases.history(adapters.see(caller, adapter).id(), alias);
    if (changes.isEmpty()) {
      throw Refusal.notFound("alias " + alias + " of " + adapter);
    }
    return changes;
  }

  /**
   * Points an alias at a version.
   *
   * @param caller of the request
   * @param adapter of the alias
   * @param alias its name
   * @param number of the version
   * @return the alias
   * @throws Refusal if the caller may not, the name breaks a rule, or there is no such version
   */
  @Transactional
  Alias put(Caller caller, AdapterName adapter, String alias, String number) {
    long adapterId = adapters.lock(caller, adapter).id();
    return put(
        caller,
        adapter,
        new AliasEntity.Key(adapterId, alias),
        named(adapterId, alias).orElse(null),
        number);
  }

  /**
   * Points a new alias at a version.
   *
   * @param caller of the request
   * @param adapter of the alias
   * @param alias its name
   * @param number of the version
   * @throws Refusal as {@link #put} does, or with status 409 if the alias names another version
   */
  @Transactional
  public void add(Caller caller, AdapterName adapter, String alias, String number) {
    long adapterId = adapters.lock(caller, adapter).id();
    Optional<String> named = named(adapterId, alias);
    if (named.isEmpty()) {
      put(caller, adapter, new AliasEntity.Key(adapterId, alias), null, number);
    } else if (!named.get().equals(number)) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "alias-exists",
          "alias %s of %s names %s; move it with nola alias set"
              .formatted(alias, adapter, named.get()));
    }
  }

  /** Points an alias, which now names {@code old} or is new, at the version of a number. */
  private Alias put(
      Caller caller,
      AdapterName adapter,
      AliasEntity.Key key,
      @Nullable String old,
      String number) {
    String alias = key.name();
    if (!NameRule.ALIAS.isMet(alias)) {
      throw Refusal.invalid("alias", NameRule.ALIAS.message(alias));
    }
    VersionEntity version =
        versions
            .findByNumber(key.adapterId(), number)
            .orElseThrow(
                () ->
                    Refusal.invalid(
                        "version",
                        "invalid version: %s; must be the number of an existing version of %s"
                            .formatted(Refusal.shown(number), adapter)));
    aliases.saveAndFlush(AliasEntity.of(key, version.id()));
    aliases.note(key.adapterId(), alias, version.id(), caller.account(), clock.instant());
    adapters.changed(
        adapter, key.adapterId(), caller, "alias.put", adapter + "@" + alias, version.version);
    if (!version.version.equals(old)) {
      events.publishEvent(new AliasMoved(adapter, alias, old, version.version));
    }
    return new Alias(alias, version.version);
  }

  private Optional<String> named(long adapterId, String alias) {
    return versions.findByAlias(adapterId, alias).map(version -> version.version);
  }

  /**
   * Removes an alias; its history is kept.
   *
   * @param caller of the request
   * @param adapter of the alias
   * @param alias its name
   * @throws Refusal if the caller may not, or there is no such alias
   */
  @Transactional
  void remove(Caller caller, AdapterName adapter, String alias) {
    long adapterId = adapters.lock(caller, adapter).id();
    String old =
        named(adapterId, alias)
            .orElseThrow(() -> Refusal.notFound("alias " + alias + " of " + adapter));
    aliases.deleteById(new AliasEntity.Key(adapterId, alias));
    aliases.note(adapterId, alias, null, caller.account(), clock.instant());
    adapters.changed(adapter, adapterId, caller, "alias.remove", adapter + "@" + alias, "");
    events.publishEvent(new AliasMoved(adapter, alias, old, null));
  }
}
