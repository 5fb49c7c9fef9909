package dev.nola.endtoend;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;

/** Answers reads as a real registry does, but alters the answers at some paths. */
final class LyingRegistry implements AutoCloseable {
  private final HttpServer server;
  private final HttpClient http = HttpClient.newHttpClient();
  private final Registry registry;
  private final String path;
  private final UnaryOperator<String> change;

  private LyingRegistry(
      HttpServer server, Registry registry, String path, UnaryOperator<String> change) {
    this.server = server;
    this.registry = registry;
    this.path = path;
    this.change = change;
  }

  /**
   * Starts a server.
   *
   * @param path end of these paths, without a query, as {@code /api/v1/adapters}
   * @param change of the body
   */
  static LyingRegistry start(Registry registry, String path, UnaryOperator<String> change)
      throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    LyingRegistry liar = new LyingRegistry(server, registry, path, change);
    server.createContext("/", liar::pass);
    server.start();
    return liar;
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private void pass(HttpExchange exchange) throws IOException {
    try (exchange) {
      HttpResponse<byte[]> answer =
          http.send(
              HttpRequest.newBuilder(URI.create(registry.url() + "" + exchange.getRequestURI()))
                  .build(),
              BodyHandlers.ofByteArray());
      byte[] body = answer.body();
      if (exchange.getRequestURI().getPath().endsWith(path)) {
        body =
            change.apply(new String(body, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
      }
      answer
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                if (!name.equalsIgnoreCase("Content-Length")
                    && !name.equalsIgnoreCase("Transfer-Encoding")) {
                  exchange.getResponseHeaders().put(name, values);
                }
              });
      exchange.sendResponseHeaders(answer.statusCode(), body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    http.close();
  }
}
