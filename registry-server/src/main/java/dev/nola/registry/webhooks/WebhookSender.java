package dev.nola.registry.webhooks;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.http.client.FilteredHostException;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpComponentsHttpClientBuilder;
import org.springframework.boot.http.client.HttpCookieHandling;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.stereotype.Component;

/**
 * Sends signed messages to webhooks. Nothing that a receiver chooses makes it connect elsewhere, or
 * read more than a status: the addresses that a name resolves to are checked and then used, there
 * are no redirects and no proxies, and the body of a response is not read.
 */
@Component
final class WebhookSender implements AutoCloseable {
  private static final int MAX_HEADER_LINE = 8192;
  private static final int MAX_HEADERS = 100;

  private final CloseableHttpClient client;
  private final Duration timeout;
  private final Clock clock;

  /**
   * Creates a sender.
   *
   * @param resolver of the names in URLs
   */
  WebhookSender(WebhookSettings settings, DnsResolver resolver, Clock clock) {
    this.timeout = settings.timeout();
    this.clock = clock;
    Http1Config limits =
        Http1Config.custom()
            .setMaxLineLength(MAX_HEADER_LINE)
            .setMaxHeaderCount(MAX_HEADERS)
            .build();
    client =
        new HttpComponentsHttpClientBuilder()
            .withDnsResolver(resolver)
            .withConnectionManagerCustomizer(
                connections ->
                    connections
                        .setMaxConnTotal(DeliveryQueue.THREADS)
                        .setMaxConnPerRoute(DeliveryQueue.THREADS)
                        .setConnectionFactory(
                            ManagedHttpClientConnectionFactory.builder()
                                .http1Config(limits)
                                .build()))
            .withCustomizer(
                http ->
                    http
                        // Without those of the system's properties, which would resolve the names.
                        .setRoutePlanner(new DefaultRoutePlanner(null))
                        // Each connection is a new one, whose address is checked.
                        .setConnectionReuseStrategy((_, _, _) -> false)
                        .disableAutomaticRetries()
                        .disableAuthCaching()
                        .disableContentCompression()
                        .setUserAgent("Nola-Webhooks/1"))
            .build(
                HttpClientSettings.defaults()
                    .withCookieHandling(HttpCookieHandling.DISABLE)
                    .withRedirects(HttpRedirects.DONT_FOLLOW)
                    .withTimeouts(timeout, timeout)
                    .withInetAddressFilter(settings.addresses()));
  }

  /**
   * A message for one webhook.
   *
   * @param id the same for all its attempts
   * @param url of the receiver
   * @param body in JSON
   */
  record Message(UUID id, URI url, String body) {}

  /**
   * The result of an attempt.
   *
   * @param status of the response; null if none came
   * @param error why it failed; null if the message was delivered
   */
  record Outcome(@Nullable Integer status, @Nullable String error) {
    private static Outcome of(int status) {
      return new Outcome(
          status, status >= 200 && status < 300 ? null : "receiver answered with status " + status);
    }

    /**
     * Takes a reason with text of the receiver's, such as the names in its certificate, whose
     * control characters neither PostgreSQL nor a terminal should get.
     */
    private static Outcome failed(String error) {
      return new Outcome(null, error.replaceAll("\\p{Cntrl}", "?"));
    }

    boolean isDelivered() {
      return error == null;
    }
  }

  /** Sends a message once, signed with the time of now. */
  Outcome send(Message message, WebhookSecret secret) {
    Instant now = clock.instant();
    HttpPost request = new HttpPost(message.url());
    request.setHeader("webhook-id", message.id());
    request.setHeader("webhook-timestamp", now.getEpochSecond());
    request.setHeader("webhook-signature", secret.sign(message.id(), now, message.body()));
    request.setEntity(
        new StringEntity(
            message.body(), ContentType.create("application/json", StandardCharsets.UTF_8)));
    // The client's own timeouts are those of one read: a slow response could go on forever.
    CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .execute(request::cancel);
    String host = message.url().getHost();
    try {
      return statusOf(request);
    } catch (FilteredHostException _) {
      return Outcome.failed(
          "address of %s not allowed; it must be public, or in nola.webhooks.allowed-networks"
              .formatted(host));
    } catch (UnknownHostException _) {
      return Outcome.failed("host not found: " + host);
    } catch (NoHttpResponseException _) { // lines that are no status line are skipped before it
      return Outcome.failed("connection closed without a valid HTTP response");
    } catch (SSLException e) {
      return Outcome.failed("TLS failed: " + e.getMessage());
    } catch (IOException e) {
      return Outcome.failed(
          request.isCancelled() || e instanceof SocketTimeoutException
              ? "no response within " + timeout.toSeconds() + " seconds"
              : isMalformed(e)
                  ? "response is not valid HTTP"
                  : "no connection: refused, unreachable or closed");
    } catch (RuntimeException e) {
      // The client's, about what it was sent: to be counted as an attempt, or it would never end.
      return Outcome.failed("response is not valid HTTP: " + e.getMessage());
    }
  }

  /** Sends a request, and returns the status of its response, whatever follows it. */
  private Outcome statusOf(HttpPost request) throws IOException {
    ClassicHttpResponse response = client.executeOpen(null, request, null);
    Outcome outcome = Outcome.of(response.getCode());
    request.cancel(); // or the next line would read the rest of the response
    try {
      response.close();
    } catch (IOException _) {
      // The connection is closed, and the status is known: the body could only add to it that it
      // is cut or malformed, which does not matter.
    }
    return outcome;
  }

  private static boolean isMalformed(IOException failure) {
    return failure instanceof MessageConstraintException
        || failure.getCause() instanceof HttpException;
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}
