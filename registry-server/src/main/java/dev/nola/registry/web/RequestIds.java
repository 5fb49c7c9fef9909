package dev.nola.registry.web;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.regex.Pattern;
import org.slf4j.MDC;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.util.AlternativeJdkIdGenerator;
import org.springframework.util.IdGenerator;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Gives every request an id: a valid {@code X-Request-Id} of the client, or a random one. The id is
 * in the response, in every log line and in the audit log.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
public final class RequestIds extends OncePerRequestFilter {
  static final String HEADER = "X-Request-Id";
  private static final String KEY = "requestId";
  private static final Pattern VALID_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  /** Random, not secret: a secure random number would take a noticeable part of a small request. */
  private final IdGenerator ids = new AlternativeJdkIdGenerator();

  RequestIds() {}

  /**
   * Returns the id of the request that this thread processes.
   *
   * @return the id; empty outside of a request
   */
  public static String current() {
    String id = MDC.get(KEY);
    return id == null ? "" : id;
  }

  /** Also when the container answers: the id is that of the request which failed. */
  @Override
  protected boolean shouldNotFilterErrorDispatch() {
    return false;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String id = response.getHeader(HEADER); // there already if this is an error's second round
    if (id == null) {
      String header = request.getHeader(HEADER);
      id =
          header != null && VALID_ID.matcher(header).matches()
              ? header
              : ids.generateId().toString();
      response.setHeader(HEADER, id);
    }
    MDC.put(KEY, id);
    try {
      chain.doFilter(request, response);
    } finally {
      MDC.remove(KEY);
    }
  }
}
