package dev.nola.registry.oidc;

import dev.nola.registry.access.SignIn;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.web.AuthorizationRequestRepository;
import org.springframework.security.oauth2.core.endpoint.OAuth2AuthorizationRequest;
import org.springframework.security.oauth2.core.endpoint.OAuth2ParameterNames;
import org.springframework.security.oauth2.core.endpoint.PkceParameterNames;
import org.springframework.security.oauth2.core.oidc.endpoint.OidcParameterNames;
import org.springframework.web.util.WebUtils;

/**
 * Keeps what a sign-in began with in a cookie of its own: the session's is SameSite=Strict, so that
 * browsers do not send it along with the way back from the issuer.
 */
final class RequestCookie implements AuthorizationRequestRepository<OAuth2AuthorizationRequest> {
  static final String NEXT = "next";

  private static final String NAME = "nola-oidc";
  private static final Duration LIFETIME = Duration.ofMinutes(10);
  private static final int MAX_NEXT = 1_500; // browsers keep cookies of up to 4,096 characters
  private static final int VALUES = 5;

  private final Clients clients;

  RequestCookie(Clients clients) {
    this.clients = clients;
  }

  @Override
  public void saveAuthorizationRequest(
      @Nullable OAuth2AuthorizationRequest begun,
      HttpServletRequest request,
      HttpServletResponse response) {
    if (begun == null) {
      send(request, response, "", Duration.ZERO);
      return;
    }
    String next = SignIn.ownPath(begun.getAttribute(NEXT));
    String value =
        Stream.of(
                begun.getState(),
                begun.getAttribute(OidcParameterNames.NONCE),
                begun.getAttribute(PkceParameterNames.CODE_VERIFIER),
                begun.getRedirectUri(),
                next.length() > MAX_NEXT ? "/" : next)
            .map(text -> encode(String.valueOf(text)))
            .collect(Collectors.joining("."));
    send(request, response, value, LIFETIME);
  }

  @Override
  public @Nullable OAuth2AuthorizationRequest loadAuthorizationRequest(HttpServletRequest request) {
    Cookie cookie = WebUtils.getCookie(request, NAME);
    List<String> values = cookie == null ? List.of() : decode(cookie.getValue());
    ClientRegistration client = clients.findByRegistrationId(Clients.ID);
    if (values.size() != VALUES || client == null) {
      return null;
    }
    return OAuth2AuthorizationRequest.authorizationCode()
        .authorizationUri(client.getProviderDetails().getAuthorizationUri())
        .clientId(client.getClientId())
        .scopes(client.getScopes())
        .state(values.get(0))
        .redirectUri(values.get(3))
        .attributes(
            Map.of(
                OAuth2ParameterNames.REGISTRATION_ID,
                Clients.ID,
                OidcParameterNames.NONCE,
                values.get(1),
                PkceParameterNames.CODE_VERIFIER,
                values.get(2),
                NEXT,
                values.get(4)))
        .build();
  }

  @Override
  public @Nullable OAuth2AuthorizationRequest removeAuthorizationRequest(
      HttpServletRequest request, HttpServletResponse response) {
    OAuth2AuthorizationRequest begun = loadAuthorizationRequest(request);
    send(request, response, "", Duration.ZERO);
    if (begun != null) {
      request.setAttribute(NEXT, begun.getAttribute(NEXT));
    }
    return begun;
  }

  private void send(
      HttpServletRequest request, HttpServletResponse response, String value, Duration lifetime) {
    response.addHeader(
        HttpHeaders.SET_COOKIE,
        ResponseCookie.from(NAME, value)
            .path(request.getContextPath() + Clients.CALLBACK)
            .httpOnly(true)
            .sameSite("Lax")
            .secure(request.isSecure() || clients.areOfHttps())
            .maxAge(lifetime)
            .build()
            .toString());
  }

  private static String encode(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> decode(String value) {
    try {
      return Stream.of(value.split("\\."))
          .map(part -> new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8))
          .toList();
    } catch (IllegalArgumentException _) {
      return List.of(); // not written by this server: the same as no cookie
    }
  }
}
