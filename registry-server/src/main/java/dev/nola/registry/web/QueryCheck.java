package dev.nola.registry.web;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Refuses queries that cannot be decoded or contain NUL, before anything reads a parameter of them:
 * NUL is trimmed off numbers and words, so that a filter would be silently ignored. Forms are left
 * alone, whose parameters would be read from their bodies.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE + 1) // after the request has its id
final class QueryCheck extends OncePerRequestFilter {
  private static final List<String> FORMS =
      List.of(MediaType.APPLICATION_FORM_URLENCODED_VALUE, "multipart/");

  private final HandlerExceptionResolver problems;

  QueryCheck(@Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
    this.problems = problems;
  }

  @Override
  protected boolean shouldNotFilter(HttpServletRequest request) {
    return !hasQuery(request);
  }

  /**
   * Returns whether a request's parameters are those of a query.
   *
   * @param request of a caller
   * @return whether it has a query, and no form
   */
  static boolean hasQuery(HttpServletRequest request) {
    String type = request.getContentType();
    return request.getQueryString() != null
        && (type == null || FORMS.stream().noneMatch(type.toLowerCase(Locale.ROOT)::startsWith));
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    try {
      boolean hasNul =
          request.getParameterMap().values().stream()
              .flatMap(Arrays::stream)
              .anyMatch(value -> value.indexOf('\0') >= 0);
      if (hasNul) {
        throw new InvalidParameterException("NUL");
      }
    } catch (InvalidParameterException e) {
      problems.resolveException(request, response, null, e);
      return;
    }
    chain.doFilter(request, response);
  }
}
