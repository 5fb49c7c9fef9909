package dev.nola.registry.access;

import dev.nola.api.Scope;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The caller of a request.
 *
 * @param tokenId of the token; null without one
 * @param account that the token was issued for
 * @param scopes that the token has
 * @param namespaces where the token is valid; null for all
 */
public record Caller(
    @Nullable UUID tokenId, String account, Set<Scope> scopes, @Nullable Set<String> namespaces) {
  /** A request without a token. */
  public static final Caller ANONYMOUS = new Caller(null, "anonymous", Set.of(), null);

  /**
   * Returns whether the token has a scope, or one that includes it.
   *
   * @param scope that an endpoint requires
   * @return whether the token allows it
   */
  public boolean may(Scope scope) {
    return scopes.contains(scope) || isAdmin() || (scope == Scope.READ && !scopes.isEmpty());
  }

  /**
   * Returns whether the token allows everything in the namespaces where it is valid.
   *
   * @return whether it has the admin scope
   */
  public boolean isAdmin() {
    return scopes.contains(Scope.ADMIN);
  }

  /**
   * Returns whether the token may act on what belongs to no namespace, such as the audit log or the
   * tokens of others: one that is limited to namespaces may not, whatever its scopes.
   *
   * @return whether it has the admin scope without a limit
   */
  public boolean isGlobalAdmin() {
    return isAdmin() && namespaces == null;
  }

  /**
   * Returns whether the token can read the private adapters of all namespaces.
   *
   * @return whether it can
   */
  public boolean readsAll() {
    return isGlobalAdmin() || (scopes.contains(Scope.WORKER) && namespaces == null);
  }

  /**
   * Returns whether the token is valid in a namespace, whatever the rights of its account there.
   *
   * @param namespace its name
   * @return whether the token is valid
   */
  boolean reaches(String namespace) {
    return namespaces == null || namespaces.contains(namespace);
  }
}
