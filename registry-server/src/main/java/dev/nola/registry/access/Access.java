package dev.nola.registry.access;

import dev.nola.api.Role;
import dev.nola.registry.web.Refusal;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** Answers whether a caller may act in a namespace. */
@Component
public class Access {
  private final NamespaceRepository namespaces;
  private final MembershipRepository memberships;
  private final TokenRepository tokens;
  private final AccessSettings settings;
  private final Clock clock;

  Access(
      NamespaceRepository namespaces,
      MembershipRepository memberships,
      TokenRepository tokens,
      AccessSettings settings,
      Clock clock) {
    this.namespaces = namespaces;
    this.memberships = memberships;
    this.tokens = tokens;
    this.settings = settings;
    this.clock = clock;
  }

  /**
   * Returns whether public adapters can be read without a token, and so be kept by shared caches.
   *
   * @return whether they can
   */
  public boolean isOpen() {
    return settings.anonymousRead();
  }

  /**
   * Returns the holder of a token with which something was requested earlier. The token may have
   * expired since; the rights of its account are those of now.
   *
   * @param tokenId of the token
   * @return the holder
   * @throws Refusal with status 403 if the token was revoked
   */
  public Caller holderOf(UUID tokenId) {
    return tokens
        .findById(tokenId)
        .filter(token -> token.revokedAt == null)
        .map(TokenEntity::caller)
        .orElseThrow(() -> Refusal.forbidden("the token that requested this was revoked"));
  }

  /**
   * Returns whether the token of a request is still valid, for responses that take long.
   *
   * @param caller of the request
   * @return whether it has a token that was not revoked and has not expired since
   */
  public boolean isStillValid(Caller caller) {
    return Optional.ofNullable(caller.tokenId())
        .flatMap(tokens::findById)
        .filter(token -> token.isValid(clock.instant()))
        .isPresent();
  }

  /**
   * Finds a namespace.
   *
   * @param namespace its name
   * @return its id, or empty if the name is unknown
   */
  public Optional<Long> idOf(String namespace) {
    return namespaces.findByName(namespace).map(NamespaceEntity::id);
  }

  /**
   * Returns whether an account exists.
   *
   * @param account its name
   * @return whether it has or had a token, or is a member of a namespace
   */
  public boolean accountExists(String account) {
    return memberships.isKnown(account);
  }

  /**
   * Returns whether the caller may see what is private in a namespace.
   *
   * @param caller of the request
   * @param namespace its name; need not exist
   * @return whether it may
   */
  public boolean seesPrivate(Caller caller, String namespace) {
    return caller.readsAll() || role(caller, namespace).isPresent();
  }

  /**
   * Returns the caller's role in a namespace, within the limits of its token; an admin is an owner
   * everywhere.
   *
   * @param caller of the request
   * @param namespace its name; need not exist
   * @return the role, or empty if the caller is not a member
   */
  public Optional<Role> role(Caller caller, String namespace) {
    if (!caller.reaches(namespace) || caller.tokenId() == null) {
      return Optional.empty();
    }
    return caller.isAdmin()
        ? Optional.of(Role.OWNER)
        : memberships.role(namespace, caller.account());
  }

  /**
   * Returns the namespaces whose private adapters the caller sees, unless it {@code readsAll}.
   *
   * @param caller of the request
   * @return names of namespaces; may be empty
   */
  public Collection<String> namespacesOf(Caller caller) {
    if (caller.tokenId() == null) {
      return List.of();
    }
    if (caller.isAdmin() && caller.namespaces() != null) {
      return caller.namespaces();
    }
    return memberships.namespacesOf(caller.account()).stream().filter(caller::reaches).toList();
  }

  /**
   * Returns whether the caller is a member of a namespace, and so may change what is in it.
   *
   * @param caller of the request
   * @param namespace its name; need not exist
   * @return whether it is, within the limits of its token
   */
  public boolean isMember(Caller caller, String namespace) {
    return role(caller, namespace).isPresent();
  }

  /**
   * Requires that the caller is a member of a namespace.
   *
   * @param caller of the request
   * @param namespace that the caller may know of
   * @throws Refusal with status 403 if it is not
   */
  public void requireMember(Caller caller, String namespace) {
    if (!isMember(caller, namespace)) {
      throw refusal(caller, namespace, "members", "");
    }
  }

  /**
   * Requires that the caller owns a namespace.
   *
   * @param caller of the request
   * @param namespace that the caller may know of
   * @throws Refusal with status 403 if it does not
   */
  public void requireOwner(Caller caller, String namespace) {
    if (role(caller, namespace).filter(role -> role == Role.OWNER).isEmpty()) {
      throw refusal(caller, namespace, "owners", " --role owner");
    }
  }

  private static Refusal refusal(Caller caller, String namespace, String who, String option) {
    return Refusal.forbidden(
        caller.reaches(namespace)
            ? "only %1$s of namespace %2$s may do this; an owner can add you with nola member add %2$s %3$s%4$s"
                .formatted(who, namespace, caller.account(), option)
            : "token not valid for namespace %s: it is limited to %s"
                .formatted(namespace, caller.namespaces()));
  }
}
