package dev.nola.registry.oidc;

import dev.nola.api.name.NameRule;
import dev.nola.registry.access.ReservedNames;
import java.util.List;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.security.oauth2.jwt.Jwt;

/**
 * A program, such as a job of CI, that may publish by a token that its platform issues to it.
 *
 * @param issuer of its tokens
 * @param audience that they must have
 * @param claims that they must have, as {@code name=value}; at least one, since a platform issues
 *     tokens to everyone's programs
 * @param account that it acts as
 * @param namespaces where it may publish
 */
record Publisher(
    @DefaultValue("") String issuer,
    @DefaultValue("") String audience,
    @DefaultValue({}) List<String> claims,
    @DefaultValue("") String account,
    @DefaultValue({}) List<String> namespaces) {
  private static final String KEY = "nola.oidc.publishers.";

  Publisher {
    claims = List.copyOf(claims);
    namespaces = List.copyOf(namespaces);
    ProviderUrl.require(KEY + "issuer", issuer);
    if (audience.isBlank()) {
      throw new IllegalArgumentException(KEY + "audience missing; such as the registry's address");
    }
    if (claims.isEmpty()) {
      throw new IllegalArgumentException(
          KEY + "claims missing; name at least one, such as repository=acme/mood");
    }
    for (String claim : claims) {
      if (claim.indexOf('=') < 1) {
        throw new IllegalArgumentException(
            "invalid " + KEY + "claims: " + claim + "; must be name=value");
      }
    }
    requireName(NameRule.ACCOUNT, account);
    if (namespaces.isEmpty()) {
      throw new IllegalArgumentException(KEY + "namespaces missing; name at least one");
    }
    namespaces.forEach(namespace -> requireName(NameRule.NAMESPACE, namespace));
  }

  static void requireName(NameRule rule, String name) {
    rule.require(name);
    if (ReservedNames.contains(name)) {
      throw new IllegalArgumentException(ReservedNames.message(rule.field(), name));
    }
  }

  /** Returns whether a token is one of this program. */
  boolean matches(Jwt token) {
    return issuer.equals(token.getClaimAsString("iss"))
        && token.getAudience() != null
        && token.getAudience().contains(audience)
        && claims.stream().allMatch(claim -> has(token, claim));
  }

  private static boolean has(Jwt token, String claim) {
    int equals = claim.indexOf('=');
    Object value = token.getClaims().get(claim.substring(0, equals));
    boolean single = value instanceof String || value instanceof Number || value instanceof Boolean;
    return single && claim.substring(equals + 1).equals(value.toString());
  }
}
