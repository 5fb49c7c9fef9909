package dev.nola.registry.web;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Lets proxies turn to other servers before this one ends: for a while it is not ready, serves what
 * comes, and closes each connection after its next response. Otherwise a proxy could send a request
 * on a connection that is just being closed, and cannot repeat one that changes something.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
@EnableConfigurationProperties(DrainSettings.class)
final class Drain extends OncePerRequestFilter implements SmartLifecycle {
  private final DrainSettings settings;
  private final ApplicationEventPublisher events;
  private volatile boolean running;
  private volatile boolean ending;

  Drain(DrainSettings settings, ApplicationEventPublisher events) {
    this.settings = settings;
    this.events = events;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    if (ending) {
      response.setHeader(HttpHeaders.CONNECTION, "close");
    }
    chain.doFilter(request, response);
  }

  @Override
  public void start() {
    running = true;
  }

  /** Called before the web server stops, which has a lower phase. */
  @Override
  public void stop(Runnable done) {
    ending = true;
    AvailabilityChangeEvent.publish(events, this, ReadinessState.REFUSING_TRAFFIC);
    CompletableFuture.delayedExecutor(settings.time().toMillis(), TimeUnit.MILLISECONDS)
        .execute(
            () -> {
              running = false;
              done.run();
            });
  }

  @Override
  public void stop() {
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }
}
