package dev.nola.registry.access;

import dev.nola.registry.web.Refusal;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Opens and ends the sessions of people at the pages. A session has the id of the token that it was
 * opened with, not its secret, and ends with the token.
 */
@Component
public class SignIn {
  private static final String TOKEN = "token";
  private static final String HOME = "/";

  private final TokenIssuer tokens;

  SignIn(TokenIssuer tokens) {
    this.tokens = tokens;
  }

  /**
   * Opens a session.
   *
   * @param request of the sign-in; its former session is ended
   * @param secret of a token
   * @throws Refusal with status 401 if the token is unknown, expired or revoked
   */
  public void open(HttpServletRequest request, String secret) {
    Caller caller =
        tokens
            .recognise(secret.strip())
            .orElseThrow(
                () -> Refusal.unauthenticated("invalid token: unknown, expired or revoked"));
    end(request);
    request.getSession(true).setAttribute(TOKEN, String.valueOf(caller.tokenId()));
  }

  /**
   * Ends the session of a request, if it has one.
   *
   * @param request the request
   */
  public void end(HttpServletRequest request) {
    HttpSession session = request.getSession(false);
    if (session != null) {
      session.invalidate();
    }
  }

  /**
   * Returns where a sign-in leads: a link must not make it lead to another site.
   *
   * @param next where it should lead
   * @return the same if it is a path of this server, else the home page
   */
  public static String ownPath(@Nullable String next) {
    return next != null && next.matches("/(?![/\\\\])[!-\\[\\]-~]*") ? next : HOME;
  }

  /**
   * Returns the caller by the session of a request; empty without a session that is still valid.
   */
  Optional<Caller> callerOf(HttpServletRequest request) {
    HttpSession session = request.getSession(false);
    @Nullable Object token = session == null ? null : session.getAttribute(TOKEN);
    if (token == null) {
      return Optional.empty();
    }
    Optional<Caller> caller = tokens.recognise(UUID.fromString(token.toString()));
    if (caller.isEmpty()) {
      end(request);
    }
    return caller;
  }
}
