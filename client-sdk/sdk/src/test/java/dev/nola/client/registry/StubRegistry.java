package dev.nola.client.registry;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A server on the loopback address that answers as a test tells it to, however wrong. */
final class StubRegistry implements AutoCloseable {
  static final String ADAPTER =
      """
      {"namespace": "acme", "name": "mood", "description": "", "visibility": "public",
       "latest": "1.0.0", "aliases": {"prod": "1.0.0"}, "downloads": 7,
       "createdAt": "2026-01-01T00:00:00Z"}""";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final AtomicInteger count = new AtomicInteger();
  private volatile List<Answer> answers = List.of();

  /** A request that came. */
  record Seen(String method, String path, Headers headers, byte[] body) {
    @Nullable String header(String name) {
      return headers.getFirst(name);
    }

    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  /** Says what a request gets; an exception cuts the connection. */
  @FunctionalInterface
  interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  StubRegistry(Answer... answers) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
    answers(answers);
  }

  /** What the requests from now on get, one after the other; the last answer is for all others. */
  void answers(Answer... next) {
    count.set(0);
    answers = List.of(next);
  }

  private void handle(HttpExchange exchange) throws IOException {
    seen.add(
        new Seen(
            exchange.getRequestMethod(),
            exchange.getRequestURI().toString(),
            exchange.getRequestHeaders(),
            exchange.getRequestBody().readAllBytes()));
    answers.get(Math.min(count.getAndIncrement(), answers.size() - 1)).to(exchange);
    exchange.close();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** All requests so far. */
  List<Seen> seen() {
    return List.copyOf(seen);
  }

  /** An answer with headers, given as names and values. */
  static Answer text(int status, String body, String... headers) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return exchange -> {
      setHeaders(exchange, headers);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  static Answer json(String body) {
    return text(200, body, "Content-Type", "application/json");
  }

  static Answer problem(int status, String body, String... headers) {
    String[] all = Arrays.copyOf(headers, headers.length + 2);
    all[headers.length] = "Content-Type";
    all[headers.length + 1] = "application/problem+json";
    return text(status, body, all);
  }

  /** No answer at all. */
  static Answer cut() {
    return _ -> {
      throw new IOException("cut by the test");
    };
  }

  /** A file as a registry gives it, with ranges and conditions. */
  static Answer file(byte[] bytes, String version) {
    return exchange -> {
      String etag = '"' + Sha256.hash(bytes).toString() + '"';
      setHeaders(exchange, "ETag", etag, "Nola-Version", version);
      Headers request = exchange.getRequestHeaders();
      if (etag.equals(request.getFirst("If-None-Match"))) {
        exchange.sendResponseHeaders(304, -1);
        return;
      }
      String range = request.getFirst("Range");
      int start = 0;
      if (range != null && etag.equals(request.getFirst("If-Range"))) {
        start = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
        setHeaders(
            exchange,
            "Content-Range",
            "bytes %d-%d/%d".formatted(start, bytes.length - 1, bytes.length));
      }
      exchange.sendResponseHeaders(start == 0 ? 200 : 206, bytes.length - start);
      exchange.getResponseBody().write(bytes, start, bytes.length - start);
    };
  }

  /** The first bytes of a file, and then the end of the connection. */
  static Answer cutFile(byte[] bytes, String version, int cut) {
    return exchange -> {
      setHeaders(
          exchange, "ETag", '"' + Sha256.hash(bytes).toString() + '"', "Nola-Version", version);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes, 0, cut);
      exchange.getResponseBody().flush();
      throw new IOException("cut by the test");
    };
  }

  static void setHeaders(HttpExchange exchange, String... headers) {
    for (int i = 0; i < headers.length; i += 2) {
      exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
