package dev.nola.registry.catalog;

import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import java.util.Optional;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;

/** Finds adapters for callers: to those who must not see one, it does not exist. */
@Component
class Adapters {
  private final AdapterRepository repository;
  private final Access access;
  private final Listings listings;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;

  Adapters(
      AdapterRepository repository,
      Access access,
      Listings listings,
      AuditLog audit,
      ApplicationEventPublisher events) {
    this.repository = repository;
    this.access = access;
    this.listings = listings;
    this.audit = audit;
    this.events = events;
  }

  /** That an adapter is no longer what it was; sent within the transaction that changes it. */
  record Changed(AdapterName adapter) {}

  /**
   * An adapter that the caller may see.
   *
   * @throws Refusal with status 404 otherwise
   */
  AdapterEntity see(Caller caller, AdapterName name) {
    return access
        .idOf(name.namespace())
        .flatMap(namespace -> repository.findByNamespaceIdAndName(namespace, name.name()))
        .filter(adapter -> sees(caller, name, adapter.isPrivate))
        .orElseThrow(() -> Refusal.notFound("adapter " + name));
  }

  /** Whether the caller may see an adapter that exists. */
  boolean sees(Caller caller, AdapterName name, boolean isPrivate) {
    return !isPrivate || access.seesPrivate(caller, name.namespace());
  }

  /**
   * An adapter that the caller may change, locked until the transaction ends.
   *
   * @throws Refusal with status 404 if the caller may not see it, 403 if it may only do that
   */
  AdapterEntity lock(Caller caller, AdapterName name) {
    requireMember(caller, name);
    return access
        .idOf(name.namespace())
        .flatMap(namespace -> repository.lock(namespace, name.name()))
        .orElseThrow(() -> Refusal.notFound("adapter " + name));
  }

  /**
   * Insists that the caller is a member of the namespace.
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
    if (seen.isPresent()) {
      throw Refusal.forbidden("only members of the namespace " + name.namespace() + " may do this");
    }
    throw Refusal.notFound("adapter " + name);
  }

  /** Ends every change: lists the adapter anew, notes what was done and tells those who cache. */
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
