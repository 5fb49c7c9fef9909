package dev.nola.endtoend;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A container registry that keeps anything, in memory, on the loopback address. */
final class ContainerRegistry implements AutoCloseable {
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

  private final HttpServer server;
  private final Map<String, byte[]> content = new ConcurrentHashMap<>();

  ContainerRegistry() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.start();
  }

  String reference(String rest) {
    return "oci://127.0.0.1:" + server.getAddress().getPort() + "/" + rest;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String path = exchange.getRequestURI().getPath().replace("blobs/uploads/", "blobs/");
      String folder = path.substring(0, path.lastIndexOf('/') + 1);
      switch (exchange.getRequestMethod()) {
        case "POST" -> {
          exchange.getResponseHeaders().set("Location", path + "session");
          exchange.sendResponseHeaders(202, -1);
        }
        case "PUT" -> {
          content.put(path, body);
          content.put(folder + Sha256.hash(body), body);
          exchange.sendResponseHeaders(201, -1);
        }
        default -> send(exchange, content.get(path));
      }
    }
  }

  private static void send(HttpExchange exchange, byte @Nullable [] found) throws IOException {
    boolean isHead = exchange.getRequestMethod().equals("HEAD");
    exchange.getResponseHeaders().set("Content-Type", MANIFEST);
    exchange.sendResponseHeaders(
        found == null ? 404 : 200, found == null || isHead ? -1 : found.length);
    if (found != null && !isHead) {
      exchange.getResponseBody().write(found);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
