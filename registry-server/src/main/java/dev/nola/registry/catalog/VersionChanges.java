package dev.nola.registry.catalog;

import dev.nola.api.VersionSummary;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Yanks and deletes published versions. */
@Component
class VersionChanges {
  private static final int MAX_REASON = 500;

  private final AdapterAccess adapters;
  private final VersionRepository versions;
  private final AliasRepository aliases;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  VersionChanges(
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
   * Yanks a version.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param version its number
   * @param reason shown to anyone still using the version
   * @return the version
   * @throws Refusal if the caller may not, there is no such version, or the reason breaks a rule
   */
  @Transactional
  VersionSummary yank(Caller caller, AdapterName adapter, String version, String reason) {
    if (reason.isBlank() || reason.length() > MAX_REASON) {
      throw Refusal.invalid(
          "reason",
          "reason has %d characters; must have 1 to %d".formatted(reason.length(), MAX_REASON));
    }
    VersionEntity found = lock(caller, adapter, version);
    found.yankedAt = clock.instant();
    found.yankedBy = caller.account();
    found.yankReason = reason;
    return save(caller, adapter, found, "version.yank", reason);
  }

  /**
   * Undoes a yank.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param version its number
   * @return the version
   * @throws Refusal if the caller may not, or there is no such version
   */
  @Transactional
  VersionSummary unyank(Caller caller, AdapterName adapter, String version) {
    VersionEntity found = lock(caller, adapter, version);
    found.yankedAt = null;
    found.yankedBy = null;
    found.yankReason = null;
    return save(caller, adapter, found, "version.unyank", "");
  }

  /**
   * Deletes a version and its aliases; its number stays used.
   *
   * @param caller of the request
   * @param adapter of the version
   * @param version its number
   * @throws Refusal if the caller may not, or there is no such version
   */
  @Transactional
  void delete(Caller caller, AdapterName adapter, String version) {
    VersionEntity found = lock(caller, adapter, version);
    for (AliasEntity alias : aliases.ofVersion(found.id())) {
      aliases.delete(alias);
      aliases.note(found.adapterId, alias.key.name(), null, caller.account(), clock.instant());
      events.publishEvent(new AliasMoved(adapter, alias.key.name(), found.version, null));
    }
    found.deletedAt = clock.instant();
    save(caller, adapter, found, "version.delete", found.digest);
    events.publishEvent(new VersionDeleted(adapter, found.version, found.digest));
  }

  private VersionEntity lock(Caller caller, AdapterName adapter, String version) {
    long adapterId = adapters.lock(caller, adapter).id();
    return versions
        .findByNumber(adapterId, version)
        .orElseThrow(() -> Refusal.notFound("version " + version + " of " + adapter));
  }

  private VersionSummary save(
      Caller caller, AdapterName adapter, VersionEntity version, String action, String detail) {
    versions.saveAndFlush(version); // the listing is renewed by SQL, which must see it
    adapters.changed(
        adapter, version.adapterId, caller, action, adapter + "@" + version.version, detail);
    return version.summary();
  }
}
