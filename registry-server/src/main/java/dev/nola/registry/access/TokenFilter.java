package dev.nola.registry.access;

import dev.nola.registry.web.Refusal;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.transaction.TransactionException;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** Identifies the caller by its bearer token (RFC 6750), and counts its requests. */
final class TokenFilter extends OncePerRequestFilter {
  private static final Pattern BEARER =
      Pattern.compile("Bearer +([A-Za-z0-9._~+/=-]{1,8192})", Pattern.CASE_INSENSITIVE);

  private final ExternalTokens tokens;
  private final Limits limits;
  private final HandlerExceptionResolver problems;

  TokenFilter(ExternalTokens tokens, Limits limits, HandlerExceptionResolver problems) {
    this.tokens = tokens;
    this.limits = limits;
    this.problems = problems;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Caller caller;
    try {
      caller = recognise(request);
    } catch (Refusal
        | RequestRejectedException
        | DataAccessException
        | TransactionException failure) {
      problems.resolveException(request, response, null, failure);
      return;
    }
    CurrentCaller.set(caller);
    chain.doFilter(request, response);
  }

  private Caller recognise(HttpServletRequest request) {
    String header = request.getHeader(HttpHeaders.AUTHORIZATION);
    if (header == null) {
      limits.countAnonymous(request);
      return Caller.ANONYMOUS;
    }
    Matcher bearer = BEARER.matcher(header);
    Optional<Caller> caller;
    try {
      caller = bearer.matches() ? tokens.recognise(bearer.group(1)) : Optional.empty();
    } catch (Refusal refused) {
      limits.countAnonymous(request);
      throw refused;
    }
    if (caller.isPresent()) {
      limits.countRequest(caller.get());
      return caller.get();
    }
    // After the lookup only: else anyone at an address could lock out all valid tokens there.
    limits.countAnonymous(request);
    throw bearer.matches()
        ? unknown()
        : Refusal.unauthenticated("invalid Authorization header; must be: Bearer TOKEN");
  }

  private static Refusal unknown() {
    return Refusal.unauthenticated("invalid token: unknown, expired or revoked");
  }
}
