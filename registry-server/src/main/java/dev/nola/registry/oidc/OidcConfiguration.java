package dev.nola.registry.oidc;

import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.oauth2.client.oidc.authentication.OidcIdTokenValidator;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.JwtDecoderFactory;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;

/** Reads the settings of OpenID Connect, and adds the sign-in at the pages if it is configured. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(OidcSettings.class)
class OidcConfiguration {
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnProperty("nola.oidc.client-id")
  static class Pages {
    @Bean
    OidcSignIn oidcSignIn(OidcSettings settings, Clients clients, SignInResult result) {
      return new OidcSignIn(settings, clients, result);
    }

    @Bean
    Clients oidcClients(OidcSettings settings, Issuers issuers) {
      return new Clients(settings, issuers.people());
    }

    /** Spring's own would fetch the keys itself, and accept RS256 alone. */
    @Bean
    JwtDecoderFactory<ClientRegistration> idTokens(Issuers issuers) {
      return client ->
          token ->
              issuers
                  .people()
                  .decode(
                      token,
                      new DelegatingOAuth2TokenValidator<>(
                          new JwtTimestampValidator(JwtReader.CLOCK_SKEW),
                          new OidcIdTokenValidator(client)));
    }
  }
}
