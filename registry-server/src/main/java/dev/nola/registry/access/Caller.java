package dev.nola.registry.access;

import dev.nola.api.Scope;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who sends a request.
 *
 * @param tokenId with which token, or null without one
 * @param account on whose behalf
 * @param scopes what the token allows
 * @param namespaces where it may be used, or null for wherever its account may act
 */
public record Caller(
    @Nullable UUID tokenId, String account, Set<Scope> scopes, @Nullable Set<String> namespaces) {
  /** A request without a token. */
  public static final Caller ANONYMOUS = new Caller(null, "anonymous", Set.of(), null);

  /** Whether the token has the scope, or one that includes it. */
  public boolean may(Scope scope) {
    return scopes.contains(scope) || isAdmin() || (scope == Scope.READ && !scopes.isEmpty());
  }

  /** Whether everything is allowed. */
  public boolean isAdmin() {
    return scopes.contains(Scope.ADMIN);
  }

  /** Whether private adapters of all namespaces can be read. */
  public boolean readsAll() {
    return (isAdmin() || scopes.contains(Scope.WORKER)) && namespaces == null;
  }

  /** Whether the token may be used in a namespace, whatever its account may do there. */
  boolean reaches(String namespace) {
    return namespaces == null || namespaces.contains(namespace);
  }
}
