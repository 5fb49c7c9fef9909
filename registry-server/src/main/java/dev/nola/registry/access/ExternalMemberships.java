package dev.nola.registry.access;

import dev.nola.api.Role;
import dev.nola.registry.audit.AuditLog;
import java.time.Clock;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.stereotype.Component;

/** Sets the memberships of an account to what another issuer states, and writes the audit log. */
@Component
class ExternalMemberships {
  private final NamespaceRepository namespaces;
  private final MembershipRepository memberships;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  ExternalMemberships(
      NamespaceRepository namespaces,
      MembershipRepository memberships,
      AuditLog audit,
      ApplicationEventPublisher events,
      Clock clock) {
    this.namespaces = namespaces;
    this.memberships = memberships;
    this.audit = audit;
    this.events = events;
    this.clock = clock;
  }

  /** Lets the statements about an account be applied one at a time until the transaction ends. */
  void lock(ExternalGrant grant) {
    namespaces.lockAccount(grant.account());
  }

  /**
   * Adds, changes and removes memberships. The last owner may be removed: the issuer's groups
   * decide, and an admin owns every namespace.
   *
   * @param grant the account and its roles
   * @param tokenId of the token that the statement became; null if it became none
   */
  void apply(ExternalGrant grant, @Nullable UUID tokenId) {
    TreeSet<String> names = new TreeSet<>(grant.rights().governed()); // one order of locks for all
    names.addAll(grant.rights().roles().keySet());
    for (String name : names) {
      Role role = grant.rights().roles().get(name);
      if (role != null && namespaces.insertIfAbsent(name, clock.instant()) == 1) {
        audit.add(grant.account(), tokenId, "namespace.create", name, "");
      }
      Optional<NamespaceEntity> namespace = namespaces.lockByName(name);
      if (namespace.isPresent()) {
        set(namespace.get(), role, grant, tokenId);
      }
    }
  }

  private void set(
      NamespaceEntity namespace, @Nullable Role role, ExternalGrant grant, @Nullable UUID tokenId) {
    MembershipEntity former =
        memberships
            .findById(new MembershipEntity.Key(namespace.id(), grant.account()))
            .orElse(null);
    Role formerRole = former == null ? null : former.role;
    if (Objects.equals(role, formerRole)
        || (former != null && !grant.rights().governed().contains(namespace.name))) {
      return;
    }
    if (formerRole == Role.OWNER) {
      events.publishEvent(new OwnerRemoved(namespace.name, grant.account()));
    }
    if (role == null) {
      memberships.delete(Objects.requireNonNull(former));
      audit.add(grant.account(), tokenId, "member.remove", namespace.name, grant.account());
    } else {
      memberships.save(MembershipEntity.of(namespace.id(), grant.account(), role));
      audit.add(
          grant.account(), tokenId, "member.put", namespace.name, grant.account() + " " + role);
    }
  }
}
