package dev.nola.registry.access;

import dev.nola.registry.web.Refusal;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import org.springframework.dao.DataAccessException;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.transaction.TransactionException;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** Identifies the caller of a page by its session, and counts its requests. */
final class SessionFilter extends OncePerRequestFilter {
  private static final String ASSETS = "/assets/";

  private final SignIn signIn;
  private final Limits limits;
  private final HandlerExceptionResolver problems;

  SessionFilter(SignIn signIn, Limits limits, HandlerExceptionResolver problems) {
    this.signIn = signIn;
    this.limits = limits;
    this.problems = problems;
  }

  @Override
  protected boolean shouldNotFilter(HttpServletRequest request) {
    return request.getRequestURI().startsWith(request.getContextPath() + ASSETS);
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    try {
      Optional<Caller> caller = signIn.callerOf(request);
      if (caller.isPresent()) {
        limits.countRequest(caller.get());
      } else {
        limits.countAnonymous(request);
      }
      CurrentCaller.set(caller.orElse(Caller.ANONYMOUS));
    } catch (Refusal
        | RequestRejectedException
        | DataAccessException
        | TransactionException failure) {
      problems.resolveException(request, response, null, failure);
      return;
    }
    chain.doFilter(request, response);
  }
}
