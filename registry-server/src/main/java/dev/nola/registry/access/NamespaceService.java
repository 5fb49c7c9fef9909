package dev.nola.registry.access;

import dev.nola.api.Member;
import dev.nola.api.Namespace;
import dev.nola.api.Role;
import dev.nola.api.name.NameRule;
import dev.nola.registry.audit.AuditLog;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import java.util.List;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Creates namespaces and changes their members, if the caller may, and writes the audit log. */
@Service
public class NamespaceService {
  private final NamespaceRepository namespaces;
  private final MembershipRepository memberships;
  private final AccessSettings settings;
  private final Access access;
  private final AuditLog audit;
  private final ApplicationEventPublisher events;
  private final Clock clock;

  /** Takes more than six beans: it checks rights and limits, and records and announces changes. */
  NamespaceService(
      NamespaceRepository namespaces,
      MembershipRepository memberships,
      AccessSettings settings,
      Access access,
      AuditLog audit,
      ApplicationEventPublisher events,
      Clock clock) {
    this.namespaces = namespaces;
    this.memberships = memberships;
    this.settings = settings;
    this.access = access;
    this.audit = audit;
    this.events = events;
    this.clock = clock;
  }

  /**
   * A namespace that the caller owns.
   *
   * @param namespace as the API shows it
   * @param created whether it is new
   */
  record Owned(Namespace namespace, boolean created) {}

  /**
   * Creates a namespace owned by the caller, unless the caller owns it already.
   *
   * @param caller of the request
   * @param name of the namespace
   * @return the namespace
   * @throws Refusal if the name breaks a rule or is reserved, the token is not valid there, another
   *     account owns the namespace, or the caller owns as many as it may
   */
  @Transactional
  Owned create(Caller caller, String name) {
    if (!NameRule.NAMESPACE.isMet(name)) {
      throw Refusal.invalid("namespace", NameRule.NAMESPACE.message(name));
    }
    if (!caller.reaches(name)) {
      throw Refusal.forbidden(
          "token not valid for namespace %s: it is limited to %s"
              .formatted(name, caller.namespaces()));
    }
    namespaces.lockAccount(caller.account());
    boolean created = namespaces.insertIfAbsent(name, clock.instant()) == 1;
    if (created) {
      requireNewAllowed(caller, name);
      memberships.save(MembershipEntity.of(find(name).id(), caller.account(), Role.OWNER));
      note(caller, "namespace.create", name, "");
    } else if (access.role(caller, name).filter(role -> role == Role.OWNER).isEmpty()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "namespace-taken",
          "namespace taken: " + name + " belongs to another account");
    }
    return new Owned(get(caller, name), created);
  }

  /** Undone with the transaction if it is refused: namespaces of before these rules stay valid. */
  private void requireNewAllowed(Caller caller, String name) {
    if (ReservedNames.contains(name)) {
      throw Refusal.invalid("namespace", ReservedNames.message("namespace", name));
    }
    long limit = settings.namespacesPerAccount();
    if (!caller.isGlobalAdmin() && memberships.countOwned(caller.account()) >= limit) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "too-many-namespaces",
          "too many namespaces: account %s owns %d; the limit is %d"
              .formatted(caller.account(), limit, limit));
    }
  }

  /**
   * Reads a namespace and the caller's role in it.
   *
   * @param caller of the request
   * @param name of the namespace
   * @return the namespace
   * @throws Refusal with status 404 if the name is unknown
   */
  public Namespace get(Caller caller, String name) {
    NamespaceEntity found = find(name);
    return new Namespace(found.name, access.role(caller, name).orElse(null), found.createdAt);
  }

  /**
   * Deletes a namespace that has never had an adapter, a model, a dataset or a job. Its name is
   * free again.
   *
   * @param caller of the request
   * @param name of the namespace
   * @throws Refusal if the caller does not own it, or it is not empty
   */
  @Transactional
  void delete(Caller caller, String name) {
    NamespaceEntity found = lockOwned(name, caller);
    String contents = namespaces.contents(found.id());
    if (!contents.isEmpty()) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "namespace-not-empty",
          "namespace %s cannot be deleted: it has or had %s; only a namespace that never had any can be, since its name is free again then; to take it out of use, yank its versions and remove its members"
              .formatted(name, contents));
    }
    memberships.deleteOfNamespace(found.id());
    namespaces.deleteById(found.id());
    note(caller, "namespace.delete", name, "");
  }

  /**
   * Lists the members of a namespace.
   *
   * @param caller of the request
   * @param name of the namespace
   * @return the members, by account
   * @throws Refusal if the namespace does not exist, or the caller is not a member
   */
  public List<Member> members(Caller caller, String name) {
    NamespaceEntity found = find(name);
    access.requireMember(caller, name);
    return memberships.ofNamespace(found.id()).stream()
        .map(member -> new Member(member.key.account(), member.role))
        .toList();
  }

  /**
   * Makes an account a member, or changes its role.
   *
   * @param caller of the request
   * @param name of the namespace
   * @param account to become a member; must have or have had a token, or be a member of a
   *     namespace, so that a mistyped name is not left for the one who gets it later
   * @param role that it gets
   * @return the member
   * @throws Refusal if the caller does not own the namespace, the account breaks a rule or does not
   *     exist, or the namespace would be left without an owner
   */
  @Transactional
  Member putMember(Caller caller, String name, String account, Role role) {
    NamespaceEntity found = lockOwned(name, caller);
    if (!NameRule.ACCOUNT.isMet(account)) {
      throw Refusal.invalid("account", NameRule.ACCOUNT.message(account));
    }
    if (!memberships.isKnown(account)) {
      throw Refusal.invalid(
          "account",
          "account %s not found; an account exists once an admin has created a token for it (nola token create)"
              .formatted(account));
    }
    if (role != Role.OWNER) {
      requireAnotherOwner(found, account);
      memberships
          .findById(new MembershipEntity.Key(found.id(), account))
          .ifPresent(member -> announceEnd(name, member));
    }
    memberships.save(MembershipEntity.of(found.id(), account, role));
    note(caller, "member.put", name, account + " " + role);
    return new Member(account, role);
  }

  /**
   * Removes a member.
   *
   * @param caller of the request
   * @param name of the namespace
   * @param account of the member
   * @throws Refusal if the caller does not own the namespace, there is no such member, or it is the
   *     only owner
   */
  @Transactional
  void removeMember(Caller caller, String name, String account) {
    NamespaceEntity found = lockOwned(name, caller);
    MembershipEntity member =
        memberships
            .findById(new MembershipEntity.Key(found.id(), account))
            .orElseThrow(() -> Refusal.notFound("member " + account));
    requireAnotherOwner(found, account);
    memberships.delete(member);
    announceEnd(name, member);
    note(caller, "member.remove", name, account);
  }

  /** Announces the end of a membership, if it was an owner's. */
  private void announceEnd(String namespace, MembershipEntity member) {
    if (member.role == Role.OWNER) {
      events.publishEvent(new OwnerRemoved(namespace, member.key.account()));
    }
  }

  private NamespaceEntity find(String name) {
    return namespaces.findByName(name).orElseThrow(() -> Refusal.notFound("namespace " + name));
  }

  private NamespaceEntity lockOwned(String name, Caller caller) {
    NamespaceEntity found =
        namespaces.lockByName(name).orElseThrow(() -> Refusal.notFound("namespace " + name));
    access.requireOwner(caller, name);
    return found;
  }

  private void requireAnotherOwner(NamespaceEntity namespace, String account) {
    List<MembershipEntity> owners =
        memberships.ofNamespace(namespace.id()).stream()
            .filter(member -> member.role == Role.OWNER)
            .toList();
    if (owners.size() == 1 && owners.getFirst().key.account().equals(account)) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "last-owner",
          "last owner cannot be removed: %s is the only owner of namespace %s"
              .formatted(account, namespace.name));
    }
  }

  private void note(Caller caller, String action, String namespace, String detail) {
    audit.add(caller.account(), caller.tokenId(), action, namespace, detail);
  }
}
