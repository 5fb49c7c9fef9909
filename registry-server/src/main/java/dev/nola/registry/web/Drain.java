package dev.nola.registry.web;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
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
final class Drain extends OncePerRequestFilter
    implements SmartLifecycle, WebServerFactoryCustomizer<TomcatServletWebServerFactory> {
  /** Maximum time during which connections are accepted while the server ends. */
  private static final Duration ACCEPTING = Duration.ofSeconds(5);

  /** Maximum time for requests under way; Spring waits for the others without reading new ones. */
  private static final Duration ANSWERING = Duration.ofSeconds(10);

  /** Time without a request after which the server need not wait for more. */
  private static final Duration QUIET = Duration.ofMillis(250);

  private final ServletWebServerApplicationContext context;

  /** Of which each request under way holds one. */
  private final Semaphore permits = new Semaphore(Integer.MAX_VALUE);

  /** One for each request that came while the server ends. */
  private final Semaphore arrivals = new Semaphore(0);

  private volatile boolean isRunning;

  Drain(ServletWebServerApplicationContext context) {
    this.context = context;
  }

  @Override
  public void customize(TomcatServletWebServerFactory factory) {
    factory.setProtocol(DrainableProtocol.class.getName());
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    permits.acquireUninterruptibly();
    try {
      if (!isRunning) {
        arrivals.release();
        response.setHeader("Connection", "close");
      }
      chain.doFilter(request, response);
    } finally {
      if (request.isAsyncStarted()) {
        request.getAsyncContext().addListener(new End());
      } else {
        permits.release();
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
    try {
      awaitQuiet(System.nanoTime() + ACCEPTING.toNanos());
      closePort();
      long end = System.nanoTime() + ANSWERING.toNanos();
      // Connections that were just accepted may not have sent their request yet.
      awaitQuiet(end);
      if (permits.tryAcquire(Integer.MAX_VALUE, end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        permits.release(Integer.MAX_VALUE);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitQuiet(long end) throws InterruptedException {
    while (System.nanoTime() < end && arrivals.tryAcquire(QUIET.toNanos(), TimeUnit.NANOSECONDS)) {
      arrivals.drainPermits();
    }
  }

  private void closePort() throws IOException {
    if (context.getWebServer() instanceof TomcatWebServer server
        && server.getTomcat().getConnector().getProtocolHandler()
            instanceof DrainableProtocol protocol) {
      protocol.closePort();
    }
  }

  /** The end of a request that is answered after its first thread has returned. */
  private final class End implements AsyncListener {
    @Override
    public void onComplete(AsyncEvent event) {
      permits.release();
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
