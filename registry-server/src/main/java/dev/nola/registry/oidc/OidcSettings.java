package dev.nola.registry.oidc;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of OpenID Connect. It has more than six components because each is a key.
 *
 * @param issuer of the tokens of people; null if people have tokens of this registry only
 * @param name of the provider on the page to sign in; the issuer's host by default
 * @param clientId of this registry at the issuer; null if people cannot sign in at the pages
 * @param clientSecret of this registry at the issuer; null for a public client
 * @param registryUrl address of this registry, as browsers have it; that of a request by default
 * @param audience that the tokens of people must have; the client's id by default
 * @param accountClaim claim with the name of a person's account
 * @param groupsClaim claim with the groups of a person
 * @param groups roles of groups, such as {@code ml-team=acme:owner}
 * @param adminGroup group whose members are admins; null for none
 * @param linkExisting whether a person may get an account that existed before
 * @param publishers programs that may publish
 */
@ConfigurationProperties("nola.oidc")
record OidcSettings(
    @Nullable String issuer,
    @Nullable String name,
    @Nullable String clientId,
    @Nullable String clientSecret,
    @Nullable String registryUrl,
    @Nullable String audience,
    @DefaultValue("preferred_username") String accountClaim,
    @DefaultValue("groups") String groupsClaim,
    @DefaultValue({}) List<String> groups,
    @Nullable String adminGroup,
    @DefaultValue("false") boolean linkExisting,
    @DefaultValue({}) List<Publisher> publishers) {
  private static final String PREFIX = "nola.oidc.";

  OidcSettings {
    groups = List.copyOf(groups);
    publishers = List.copyOf(publishers);
    groups.forEach(GroupRole::parse);
    if (issuer != null) {
      ProviderUrl.require(PREFIX + "issuer", issuer);
      audience = audience == null ? clientId : audience;
      if (audience == null) {
        throw new IllegalArgumentException(
            PREFIX + "audience missing; set it, or " + PREFIX + "client-id");
      }
    } else if (clientId != null || adminGroup != null || !groups.isEmpty()) {
      throw new IllegalArgumentException(
          PREFIX + "issuer missing; client-id, groups and admin-group need it");
    }
    if (registryUrl != null) {
      ProviderUrl.require(PREFIX + "registry-url", registryUrl);
      registryUrl = registryUrl.replaceFirst("/$", "");
    }
  }

  /** Returns the roles of groups. */
  List<GroupRole> roles() {
    return groups.stream().map(GroupRole::parse).toList();
  }

  /** Returns whether being known to the issuer is not enough. */
  boolean requiresGroup() {
    return adminGroup != null || !groups.isEmpty();
  }

  /** Returns the accounts of publishers, which no person can have. */
  Set<String> publishersAccounts() {
    return publishers.stream().map(Publisher::account).collect(Collectors.toSet());
  }

  /** Returns the issuer of people. */
  String peoplesIssuer() {
    return Objects.requireNonNull(issuer);
  }

  @Override
  public String toString() {
    return "OidcSettings[issuer=" + issuer + "]"; // no secret in a log
  }
}
