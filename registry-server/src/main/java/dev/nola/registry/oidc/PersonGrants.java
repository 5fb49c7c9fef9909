package dev.nola.registry.oidc;

import dev.nola.api.Role;
import dev.nola.api.Scope;
import dev.nola.registry.access.ExternalGrant;
import dev.nola.registry.access.ExternalRights;
import dev.nola.registry.web.Refusal;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.springframework.security.oauth2.core.ClaimAccessor;
import org.springframework.stereotype.Component;

/** Derives what a person may do from the claims of the issuer. */
@Component
class PersonGrants {
  private final OidcSettings settings;
  private final AccountLinks accounts;

  PersonGrants(OidcSettings settings, AccountLinks accounts) {
    this.settings = settings;
    this.accounts = accounts;
  }

  /**
   * Derives the rights of a person.
   *
   * @param claims of a token whose signature, issuer and audience were checked
   * @param expiresAt when the grant ends
   * @return the grant; without a scope if the person may not use the registry now
   * @throws Refusal with status 403 if the person may not use the registry, or not that account
   */
  ExternalGrant of(ClaimAccessor claims, Instant expiresAt) {
    String issuer = settings.peoplesIssuer();
    String subject = claim(claims, "sub");
    ExternalRights rights = rights(groups(claims));
    String account =
        accounts
            .find(issuer, subject)
            .orElseGet(
                () -> {
                  if (rights.scopes().isEmpty()) {
                    throw Refusal.forbidden(
                        "your groups at the OpenID provider may not use this registry; ask its admin to add you to one that may");
                  }
                  return accounts.take(issuer, subject, claim(claims, settings.accountClaim()));
                });
    return new ExternalGrant(issuer, subject, account, rights, expiresAt);
  }

  private ExternalRights rights(Set<String> groups) {
    Map<String, Role> roles = new HashMap<>();
    Set<String> governed = new HashSet<>();
    boolean admin = settings.adminGroup() != null && groups.contains(settings.adminGroup());
    for (GroupRole mapping : settings.roles()) {
      governed.add(mapping.namespace());
      if (groups.contains(mapping.group())) {
        roles.merge(
            mapping.namespace(), mapping.role(), (one, other) -> one == Role.OWNER ? one : other);
      }
    }
    Set<Scope> scopes = EnumSet.noneOf(Scope.class);
    if (admin) {
      scopes.add(Scope.ADMIN);
    }
    if (admin || !roles.isEmpty() || !settings.requiresGroup()) {
      scopes.add(Scope.READ);
      scopes.add(Scope.PUBLISH);
    }
    return new ExternalRights(scopes, null, roles, governed);
  }

  /** Returns the groups; none if the claim is missing, which never grants more. */
  private Set<String> groups(ClaimAccessor claims) {
    Object groups = claims.getClaims().get(settings.groupsClaim());
    Set<String> names = new HashSet<>();
    if (groups instanceof String name) {
      names.add(name);
    } else if (groups instanceof Collection<?> several) {
      several.forEach(name -> names.add(String.valueOf(name)));
    }
    return names;
  }

  private static String claim(ClaimAccessor claims, String name) {
    String value = claims.getClaimAsString(name);
    if (value == null || value.isBlank()) {
      throw Refusal.forbidden(
          "claim %s missing: the OpenID provider does not say who you are; ask its admin to add the claim"
              .formatted(name));
    }
    return value;
  }
}
