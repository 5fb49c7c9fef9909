package dev.nola.registry.oidc;

import dev.nola.registry.access.ExternalTokens;
import dev.nola.registry.access.SignIn;
import dev.nola.registry.web.Refusal;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.dao.DataAccessException;
import org.springframework.http.MediaType;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2ErrorCodes;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.authentication.AuthenticationFailureHandler;
import org.springframework.security.web.authentication.AuthenticationSuccessHandler;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.util.HtmlUtils;

/** Opens the session of a person whom the issuer vouches for, or says why it does not. */
@Component
class SignInResult implements AuthenticationSuccessHandler, AuthenticationFailureHandler {
  private static final Logger LOG = LoggerFactory.getLogger(SignInResult.class);

  /** As long as a session may be idle. */
  private static final Duration SESSION = Duration.ofHours(8);

  /**
   * Leads on by itself. A redirect would still be part of the way back from the issuer's site,
   * along which browsers do not send a cookie that is SameSite=Strict.
   */
  private static final String PAGE =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="refresh" content="0; url=%1$s">
        <title>Signed in · Nola</title>
      </head>
      <body><p>Signed in. <a href="%1$s">Continue</a></p></body>
      </html>
      """;

  private final PersonGrants people;
  private final ExternalTokens tokens;
  private final SignIn sessions;
  private final Clock clock;
  private final HandlerExceptionResolver problems;

  SignInResult(
      PersonGrants people,
      ExternalTokens tokens,
      SignIn sessions,
      Clock clock,
      @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    this.people = people;
    this.tokens = tokens;
    this.sessions = sessions;
    this.clock = clock;
    this.problems = problems;
  }

  @Override
  public void onAuthenticationSuccess(
      HttpServletRequest request, HttpServletResponse response, Authentication authentication)
      throws IOException {
    try {
      OidcUser person = (OidcUser) authentication.getPrincipal();
      sessions.open(
          request, tokens.issue(people.of(person.getIdToken(), clock.instant().plus(SESSION))));
    } catch (Refusal | DataAccessException | TransactionException failure) {
      problems.resolveException(request, response, null, failure);
      return;
    }
    String next = SignIn.ownPath((String) request.getAttribute(RequestCookie.NEXT));
    response.setContentType(MediaType.TEXT_HTML_VALUE + ";charset=UTF-8");
    response.getWriter().write(PAGE.formatted(HtmlUtils.htmlEscape(next)));
  }

  @Override
  public void onAuthenticationFailure(
      HttpServletRequest request, HttpServletResponse response, AuthenticationException failure) {
    Refusal refusal = refusalIn(failure);
    if (refusal == null) {
      LOG.info("sign-in refused: {}", failure.getMessage());
      refusal = refusal(failure);
    }
    problems.resolveException(request, response, null, refusal);
  }

  private static @Nullable Refusal refusalIn(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refusal refusal) {
        return refusal;
      }
    }
    return null;
  }

  private static Refusal refusal(AuthenticationException failure) {
    String code =
        failure instanceof OAuth2AuthenticationException oauth
            ? oauth.getError().getErrorCode()
            : "";
    return switch (code) {
      case OAuth2ErrorCodes.ACCESS_DENIED ->
          Refusal.forbidden(
              "the OpenID provider refused the sign-in; ask its admin for access to this registry, or sign in with a token");
      case "authorization_request_not_found", "invalid_state_parameter" ->
          Refusal.unauthenticated(
              "the sign-in took longer than ten minutes or began in another browser; start it again");
      default ->
          Refusal.unauthenticated(
              "the sign-in failed at the OpenID provider; start it again, and ask the registry's admin if it fails again: its log has the reason");
    };
  }
}
