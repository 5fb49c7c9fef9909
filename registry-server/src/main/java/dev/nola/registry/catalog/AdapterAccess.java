package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import java.util.Optional;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/** Finds adapters for callers. An adapter that a caller must not see does not exist for it. */
@Component
class AdapterAccess {
  private final AdapterRepository repository;
  private final Access access;
  private final ListingUpdater listings;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;

  AdapterAccess(
      AdapterRepository repository,
      Access access,
      ListingUpdater listings,
      AuditLog audit,
      ApplicationEventPublisher events) {
    this.repository = repository;
    this.access = access;
    this.listings = listings;
    this.audit = audit;
    this.events = events;
  }

  /** Event: an adapter changed. Sent within the transaction that changes it. */
  record Changed(AdapterName adapter) {}

  /**
   * Finds an adapter that the caller may see.
   *
   * @throws Refusal with status 404 otherwise
   */
  AdapterEntity see(Caller caller, AdapterName name) {
    Optional<AdapterEntity> found =
        access
            .idOf(name.namespace())
            .flatMap(namespace -> repository.findByNamespaceIdAndName(namespace, name.name()));
    // An absent adapter takes the queries, and so the time, of a private one.
    boolean sees = sees(caller, name, found.isEmpty() || found.get().isPrivate);
    return found.filter(_ -> sees).orElseThrow(() -> notFound(caller, name));
  }

  /** Returns whether the caller may see an adapter that exists. */
  boolean sees(Caller caller, AdapterName name, boolean isPrivate) {
    return !isPrivate || access.seesPrivate(caller, name.namespace());
  }

  /** Returns whether an adapter that exists is seen without a token, and kept by shared caches. */
  boolean seenWithoutToken(boolean isPrivate) {
    return access.isOpen() && !isPrivate;
  }

  /**
   * Finds an adapter that the caller may change, and locks it until the transaction ends.
   *
   * @throws Refusal with status 404 if the caller may not see it, 403 if it may only do that
   */
  AdapterEntity lock(Caller caller, AdapterName name) {
    requireMember(caller, name);
    return access
        .idOf(name.namespace())
        .flatMap(namespace -> repository.lock(namespace, name.name()))
        .orElseThrow(() -> notFound(caller, name));
  }

  /**
   * Requires that the caller is a member of the adapter's namespace.
   *
   * @throws Refusal with status 403 if it sees an adapter of this name, else 404, whether it is
   *     private or absent
   */
  void requireMember(Caller caller, AdapterName name) {
    if (access.role(caller, name.namespace()).isPresent()) {
      return;
    }
    Optional<AdapterEntity> seen =
        access
            .idOf(name.namespace())
            .flatMap(namespace -> repository.findByNamespaceIdAndName(namespace, name.name()))
            .filter(adapter -> sees(caller, name, adapter.isPrivate));
    if (seen.isEmpty()) {
      throw notFound(caller, name);
    }
    access.requireMember(caller, name.namespace());
  }

  /** Creates the same refusal whether the adapter is private or absent. */
  private static Refusal notFound(Caller caller, AdapterName name) {
    String hint = caller.tokenId() == null ? " (private adapters need a token)" : "";
    return Refusal.of(HttpStatus.NOT_FOUND, "not-found", "adapter " + name + " not found" + hint);
  }

  /** Ends every change: updates the listing, writes the audit log and drops cached references. */
  void changed(
      AdapterName name,
      long adapterId,
      Caller caller,
      String action,
      String subject,
      String detail) {
    listings.renew(adapterId);
    audit.add(caller.account(), caller.tokenId(), action, subject, detail);
    events.publishEvent(new Changed(name));
  }
}
