package dev.nola.registry.access;

import dev.nola.api.Role;
import dev.nola.api.Scope;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Rights by the statement of another issuer.
 *
 * @param scopes of the caller's token
 * @param namespaces where the token is valid; null for all
 * @param roles that the account gets, by namespace; namespaces that do not exist are created
 * @param governed namespaces where the account has the role in {@code roles} or none, so that an
 *     earlier role changes or ends; elsewhere an earlier role stays
 */
public record ExternalRights(
    Set<Scope> scopes,
    @Nullable List<String> namespaces,
    Map<String, Role> roles,
    Set<String> governed) {
  public ExternalRights {
    scopes = Set.copyOf(scopes);
    namespaces = namespaces == null ? null : List.copyOf(namespaces);
    roles = Map.copyOf(roles);
    governed = Set.copyOf(governed);
  }
}
