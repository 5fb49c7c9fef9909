package dev.nola.registry.oidc;

import dev.nola.registry.web.Refusal;
import org.jspecify.annotations.Nullable;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;

/**
 * This registry as a client of the people's issuer, whose addresses are known once it was reached.
 */
final class Clients implements ClientRegistrationRepository {
  static final String ID = "oidc";
  static final String CALLBACK = "/oauth2/callback";

  private final OidcSettings settings;
  private final Issuer issuer;

  Clients(OidcSettings settings, Issuer issuer) {
    this.settings = settings;
    this.issuer = issuer;
  }

  @Override
  public @Nullable ClientRegistration findByRegistrationId(String id) {
    if (!id.equals(ID)) {
      return null;
    }
    try {
      return client();
    } catch (Refusal unavailable) { // Spring's filters handle failures of this type alone
      throw new AuthenticationServiceException(
          String.valueOf(unavailable.getMessage()), unavailable);
    }
  }

  /** Returns whether browsers reach the registry by https, be it through a proxy. */
  boolean areOfHttps() {
    String registry = settings.registryUrl();
    return registry != null && registry.startsWith("https:");
  }

  private ClientRegistration client() {
    String secret = settings.clientSecret();
    String registry = settings.registryUrl() == null ? "{baseUrl}" : settings.registryUrl();
    return ClientRegistration.withRegistrationId(ID)
        .clientId(String.valueOf(settings.clientId()))
        .clientSecret(secret == null ? "" : secret)
        .clientAuthenticationMethod(
            secret == null
                ? ClientAuthenticationMethod.NONE
                : ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
        .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
        .redirectUri(registry + CALLBACK)
        .scope("openid", "profile")
        .issuerUri(settings.peoplesIssuer())
        .authorizationUri(issuer.address("authorization_endpoint"))
        .tokenUri(issuer.address("token_endpoint"))
        .jwkSetUri(issuer.address("jwks_uri"))
        .build();
  }
}
