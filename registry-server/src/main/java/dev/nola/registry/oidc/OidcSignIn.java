package dev.nola.registry.oidc;

import dev.nola.registry.access.SignInMethod;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.converter.FormHttpMessageConverter;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.endpoint.RestClientAuthorizationCodeTokenResponseClient;
import org.springframework.security.oauth2.client.http.OAuth2ErrorResponseErrorHandler;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.core.endpoint.OAuth2AuthorizationRequest;
import org.springframework.security.oauth2.core.http.converter.OAuth2AccessTokenResponseHttpMessageConverter;
import org.springframework.security.oauth2.core.oidc.user.DefaultOidcUser;
import org.springframework.web.client.RestClient;

/** Signs people in at the pages with the authorization code flow, PKCE and a nonce. */
final class OidcSignIn implements SignInMethod {
  private static final String START = "/oauth2/sign-in";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final OidcSettings settings;
  private final Clients clients;
  private final SignInResult result;

  OidcSignIn(OidcSettings settings, Clients clients, SignInResult result) {
    this.settings = settings;
    this.clients = clients;
    this.result = result;
  }

  @Override
  public String label() {
    return "Sign in with "
        + (settings.name() == null
            ? URI.create(settings.peoplesIssuer()).getHost()
            : settings.name());
  }

  @Override
  public String path() {
    return START + "/" + Clients.ID;
  }

  @Override
  public void configure(HttpSecurity http) {
    DefaultOAuth2AuthorizationRequestResolver requests =
        new DefaultOAuth2AuthorizationRequestResolver(clients, START);
    requests.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
    http.oauth2Login(
        login ->
            login
                .loginPage("/sign-in")
                .clientRegistrationRepository(clients)
                .authorizedClientRepository(new NoAuthorizedClients())
                .authorizationEndpoint(
                    start ->
                        start
                            .authorizationRequestResolver(new WithNext(requests))
                            .authorizationRequestRepository(new RequestCookie(clients)))
                .redirectionEndpoint(end -> end.baseUri(Clients.CALLBACK))
                .tokenEndpoint(token -> token.accessTokenResponseClient(tokens()))
                // The claims of the signed token suffice.
                .userInfoEndpoint(
                    user ->
                        user.oidcUserService(
                            request -> new DefaultOidcUser(List.of(), request.getIdToken())))
                .successHandler(result)
                .failureHandler(result));
  }

  /** Spring's default has no timeout. */
  private static RestClientAuthorizationCodeTokenResponseClient tokens() {
    JdkClientHttpRequestFactory requests =
        new JdkClientHttpRequestFactory(HttpClient.newBuilder().connectTimeout(TIMEOUT).build());
    requests.setReadTimeout(TIMEOUT);
    RestClientAuthorizationCodeTokenResponseClient client =
        new RestClientAuthorizationCodeTokenResponseClient();
    client.setRestClient(
        RestClient.builder()
            .requestFactory(requests)
            .configureMessageConverters(
                converters ->
                    converters
                        .addCustomConverter(new FormHttpMessageConverter())
                        .addCustomConverter(new OAuth2AccessTokenResponseHttpMessageConverter()))
            .defaultStatusHandler(new OAuth2ErrorResponseErrorHandler())
            .build());
    return client;
  }

  /** Adds where the sign-in leads. */
  private record WithNext(OAuth2AuthorizationRequestResolver requests)
      implements OAuth2AuthorizationRequestResolver {
    @Override
    public @Nullable OAuth2AuthorizationRequest resolve(HttpServletRequest request) {
      return add(requests.resolve(request), request);
    }

    @Override
    public @Nullable OAuth2AuthorizationRequest resolve(HttpServletRequest request, String client) {
      return add(requests.resolve(request, client), request);
    }

    private static @Nullable OAuth2AuthorizationRequest add(
        @Nullable OAuth2AuthorizationRequest begun, HttpServletRequest request) {
      String next = request.getParameter(RequestCookie.NEXT);
      return begun == null || next == null
          ? begun
          : OAuth2AuthorizationRequest.from(begun)
              .attributes(attributes -> attributes.put(RequestCookie.NEXT, next))
              .build();
    }
  }
}
