package dev.nola.client.http;

import dev.nola.client.RegistryException;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import tools.jackson.core.type.TypeReference;

/**
 * Sends requests to one registry. Immutable and thread-safe; it keeps connections open until it is
 * closed.
 *
 * <p>Each method throws a {@link RegistryException} of kind {@code NOT_ALLOWED} if the token is
 * missing or not sufficient, {@code NOT_FOUND} if the registry does not know what is named, {@code
 * UNAVAILABLE} if it cannot be reached or is overloaded, or this client is offline; of another kind
 * for any other refusal or a broken answer.
 */
public final class Transport implements AutoCloseable {
  private static final int UNAUTHORIZED = 401;

  private final RegistryProtocol protocol;
  private final Timeouts timeouts;
  private final Retry retry;
  private final boolean offline;
  private final Network network;
  private final HttpClient http;
  private final Redirects redirects;
  private final BodyReader bodies;

  /**
   * A value and the status that it came with.
   *
   * @param status the HTTP status
   * @param value the value
   */
  public record Stated<T>(int status, T value) {}

  /**
   * The bytes of an answer and its headers.
   *
   * @param url the URL that sent it, after redirections
   * @param headers the answer's headers
   * @param bytes the answer's body
   */
  public record Received(URI url, HttpHeaders headers, byte[] bytes) {
    /**
     * Returns a header's first value.
     *
     * @param name the header's name
     * @return the value, or an empty text
     */
    public String header(String name) {
      return headers.firstValue(name).orElse("");
    }
  }

  /** Reads an answer. An {@link IOException} means that it was cut. */
  @FunctionalInterface
  private interface Reading<T> {
    T read(Answer answer) throws IOException, InterruptedException;
  }

  /**
   * Creates a transport to a registry.
   *
   * @param protocol the registry, and the right to use it
   * @param timeouts how long to wait
   * @param retry what to send again
   * @param offline true to refuse every request instead of making connections
   * @throws IllegalArgumentException if the environment names something else than an HTTP proxy
   */
  public Transport(RegistryProtocol protocol, Timeouts timeouts, Retry retry, boolean offline) {
    this.protocol = protocol;
    this.timeouts = timeouts;
    this.retry = retry;
    this.offline = offline;
    this.network = new Network(System.getenv());
    this.http = network.client(protocol.registry(), timeouts.connect());
    this.redirects = new Redirects(http, protocol, timeouts.request());
    this.bodies = new BodyReader(protocol.registry(), timeouts);
  }

  /**
   * Returns the registry's normalized URL.
   *
   * @return the URL
   */
  public URI registry() {
    return protocol.registry();
  }

  /**
   * Begins to read the file in an answer, which must come fast enough.
   *
   * @param answer the answer
   * @return the reader of its body
   */
  public MinimumRate.Reader file(Answer answer) {
    return timeouts.rate().read(answer.body(), timeouts.request());
  }

  /**
   * Sends a request and returns the answer with its body still to be read.
   *
   * @param call the request
   * @return the answer, which the caller closes
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Answer open(Call call) throws IOException, InterruptedException {
    return send(call, answer -> answer);
  }

  /**
   * Sends a request and returns the status of the answer.
   *
   * @param call the request
   * @return the HTTP status
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public int status(Call call) throws IOException, InterruptedException {
    return read(call, Answer::status);
  }

  /**
   * Sends a request and returns the JSON of the answer.
   *
   * @param call the request
   * @param type the type to read
   * @return the value
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public <T> T json(Call call, TypeReference<T> type) throws IOException, InterruptedException {
    return read(call, answer -> bodies.json(call, answer, type));
  }

  /**
   * Sends a request and returns the JSON and the status of the answer.
   *
   * @param call the request
   * @param type the type to read
   * @return the value and status
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public <T> Stated<T> jsonAndStatus(Call call, TypeReference<T> type)
      throws IOException, InterruptedException {
    return read(call, answer -> new Stated<>(answer.status(), bodies.json(call, answer, type)));
  }

  /**
   * Sends a request and returns the bytes of the answer.
   *
   * @param call the request
   * @param limit the largest number of bytes
   * @return the bytes
   * @throws RegistryException if the registry refuses or cannot be reached, or the answer is larger
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public byte[] bytes(Call call, int limit) throws IOException, InterruptedException {
    return read(call, answer -> bodies.bytes(answer, limit));
  }

  /**
   * Sends a request and returns the bytes and the headers of the answer.
   *
   * @param call the request
   * @param limit the largest number of bytes
   * @return the bytes and headers
   * @throws RegistryException if the registry refuses or cannot be reached, or the answer is larger
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Received bytesAndHeaders(Call call, int limit) throws IOException, InterruptedException {
    return read(
        call, answer -> new Received(answer.url(), answer.headers(), bodies.bytes(answer, limit)));
  }

  /**
   * Sends a request and writes the answer into a file, in place of its content.
   *
   * @param call the request
   * @param file the file to write
   * @param limit the largest number of bytes
   * @return the digest of what was written
   * @throws RegistryException if the registry refuses or cannot be reached, or the answer is larger
   * @throws IOException if the file cannot be written
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Sha256 save(Call call, Path file, long limit) throws IOException, InterruptedException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      return read(call, answer -> bodies.file(answer, channel, limit));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Sends a request and receives server-sent events until the registry ends the stream.
   *
   * @param call the request
   * @param silence the longest time without a byte
   * @param listener receives each event's data, on the calling thread
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws IOException if the stream is cut or silent, or an event is too large
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void events(Call call, Duration silence, Consumer<String> listener)
      throws IOException, InterruptedException {
    try (Answer answer = open(call)) {
      EventStream.read(answer, silence, listener);
    }
  }

  /**
   * Reads a body, and again if it was cut.
   *
   * @param attempt reads what is missing of the body
   * @return the result of the first attempt that succeeded
   * @throws RegistryException if the body was cut each time
   * @throws IOException the attempt's other failures
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public <T> T resume(Retry.Attempt<T> attempt) throws IOException, InterruptedException {
    try {
      return retry.resume(attempt);
    } catch (Body.CutException e) {
      throw unreachable(e);
    }
  }

  private <T> T read(Call call, Reading<T> reading) throws IOException, InterruptedException {
    return send(
        call,
        answer -> {
          try (answer) {
            return reading.read(answer);
          }
        });
  }

  private <T> T send(Call call, Reading<T> reading) throws IOException, InterruptedException {
    if (offline) {
      throw RegistryException.unavailable(
          "%s is not available offline: it needs the registry %s".formatted(call, registry()),
          null);
    }
    try {
      return retry.send(
          call.repeatable(),
          () -> {
            Answer answer = authorized(call);
            if (answer.isSuccess()) {
              requirePlain(call, answer);
              return reading.read(answer);
            }
            try (answer) {
              throw protocol.refusal(call, answer, network.route(registry()));
            }
          });
    } catch (RegistryException | CredentialsException e) {
      throw e;
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /**
   * Sends a request, and once more if the registry itself challenged it and the protocol can meet
   * that. Another host's challenge is left alone: it could name a server of its own for the login.
   */
  private Answer authorized(Call call) throws IOException, InterruptedException {
    Answer answer = redirects.send(call);
    if (answer.status() != UNAUTHORIZED || !answer.isFromRegistry() || !protocol.meet(answer)) {
      return answer;
    }
    answer.close();
    return redirects.send(call);
  }

  /** Refuses a body that a gateway has encoded, which has other bytes than the registry sent. */
  private void requirePlain(Call call, Answer answer) throws RegistryException {
    String encoding = answer.header("Content-Encoding").orElse("identity");
    if (!encoding.equalsIgnoreCase("identity")) {
      answer.close();
      throw RegistryException.broken(
          "%s answered %s with Content-Encoding %s; the proxy or gateway in front of it must not compress responses"
              .formatted(registry(), call, RegistryText.printable(encoding)));
    }
  }

  private RegistryException unreachable(IOException failure) {
    return RegistryException.unavailable(
        "cannot reach the registry at %s%s: %s"
            .formatted(registry(), network.route(registry()), reason(failure)),
        failure);
  }

  private String reason(IOException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      switch (cause) {
        case UnresolvedAddressException _ -> {
          return "unknown host";
        }
        case HttpConnectTimeoutException _ -> {
          return "no connection within " + seconds(timeouts.connect());
        }
        case HttpTimeoutException _ -> {
          return "no answer within " + seconds(timeouts.request());
        }
        case SSLException tls when String.valueOf(tls.getMessage()).contains("nrecognized SSL") -> {
          return "it does not use TLS; to reach it without encryption, use http://";
        }
        case IOException login
            when String.valueOf(login.getMessage()).startsWith("too many authentication") -> {
          return "the proxy refused the user and password";
        }
        default -> {
          continue; // perhaps its cause is one of these
        }
      }
    }
    return failure instanceof ConnectException
        ? "connection refused"
        : RegistryText.printable(
            Objects.requireNonNullElse(failure.getMessage(), failure.toString()));
  }

  private static String seconds(Duration time) {
    return time.toMillis() / 1000.0 + " seconds";
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    http.shutdownNow();
  }
}
