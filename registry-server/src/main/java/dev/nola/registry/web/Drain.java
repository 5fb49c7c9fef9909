package dev.nola.registry.web;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.catalina.connector.Connector;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Lets clients leave before the server ends: it answers with {@code Connection: close} for a while.
 * Tomcat would drop the next request on every open connection instead, and a proxy cannot repeat a
 * publication elsewhere once it has sent it.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class Drain extends OncePerRequestFilter implements SmartLifecycle {
  /** Maximum time during which connections are accepted while the server ends. */
  private static final Duration ACCEPTING = Duration.ofSeconds(5);

  /** Time without a request after which the server need not wait for more. */
  private static final Duration QUIET = Duration.ofMillis(500);

  /** Maximum time for requests under way; Spring waits for the others without reading new ones. */
  private static final Duration ANSWERING = Duration.ofSeconds(10);

  private static final long POLL_MILLIS = 5;

  private final ServletWebServerApplicationContext context;
  private final AtomicInteger requests = new AtomicInteger();
  private volatile long lastRequest = System.nanoTime() - QUIET.toNanos();
  private volatile boolean isRunning;

  Drain(ServletWebServerApplicationContext context) {
    this.context = context;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    lastRequest = System.nanoTime();
    requests.incrementAndGet();
    try {
      if (!isRunning) {
        response.setHeader("Connection", "close");
      }
      chain.doFilter(request, response);
    } finally {
      if (request.isAsyncStarted()) {
        request.getAsyncContext().addListener(new End());
      } else {
        requests.decrementAndGet();
      }
    }
  }

  @Override
  public void start() {
    isRunning = true;
  }

  @Override
  public boolean isRunning() {
    return isRunning;
  }

  /** Before the web server's, which pauses Tomcat. */
  @Override
  public int getPhase() {
    return Integer.MAX_VALUE;
  }

  @Override
  public void stop() {
    isRunning = false;
    awaitAtMost(ACCEPTING, this::isQuiet);
    if (context.getWebServer() instanceof TomcatWebServer server) {
      for (Connector connector : server.getTomcat().getService().findConnectors()) {
        connector.getProtocolHandler().closeServerSocketGraceful();
      }
    }
    // Quiet as well, since a connection that was just accepted may not have got here yet.
    awaitAtMost(ANSWERING, () -> requests.get() == 0 && isQuiet());
  }

  private boolean isQuiet() {
    return System.nanoTime() - lastRequest > QUIET.toNanos();
  }

  private static void awaitAtMost(Duration time, BooleanSupplier condition) {
    long end = System.nanoTime() + time.toNanos();
    try {
      while (!condition.getAsBoolean() && System.nanoTime() < end) {
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** The end of a request that is answered after its first thread has returned. */
  private final class End implements AsyncListener {
    @Override
    public void onComplete(AsyncEvent event) {
      requests.decrementAndGet();
    }

    @Override
    public void onTimeout(AsyncEvent event) {} // completed next

    @Override
    public void onError(AsyncEvent event) {} // completed next

    @Override
    public void onStartAsync(AsyncEvent event) {
      event.getAsyncContext().addListener(this); // listeners are removed
    }
  }
}
