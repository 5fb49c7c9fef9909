package dev.nola.client.oci;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A container registry on the loopback address that can demand logins, keep lists of referrers, and
 * send what it should not. interop/oci has a real one.
 */
final class MemoryRegistry implements AutoCloseable {
  /** Of user ann with password secret. */
  static final String LOGIN = "YW5uOnNlY3JldA==";

  static final String IDENTITY_TOKEN = "identity+token";

  /** The form of OAuth 2 with which an identity token is exchanged. */
  private static final String EXCHANGE =
      "service=s&scope=repository%3Ax%3Apull&client_id=nola&grant_type=refresh_token"
          + "&refresh_token=identity%2Btoken";

  final Map<String, byte[]> content = new ConcurrentHashMap<>();
  final List<String> requests = new CopyOnWriteArrayList<>();
  final List<String> ranges = new CopyOnWriteArrayList<>();
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  final Map<String, List<JsonNode>> referrers = new ConcurrentHashMap<>();
  private final Map<String, String> types = new ConcurrentHashMap<>();

  /** What it demands: nothing, Basic, or Bearer. */
  volatile String scheme = "";

  /** The origin that a token comes from; empty for this server. */
  volatile String realm = "";

  volatile boolean hasReferrers;

  /** The digest that it states of manifests; empty for none. */
  volatile String statedDigest = "";

  /** Where lists of referrers are redirected to; empty for this server. */
  volatile String lists = "";

  /** The page after the first one of referrers, as its header Link names it; empty for none. */
  volatile String next = "";

  /** The origin that keeps the blobs, and takes them; empty for this server. */
  volatile String storage = "";

  /**
   * Where an upload goes to, instead of the right place; empty for none; null for the right one.
   */
  volatile @Nullable String location;

  /** What the server for tokens answers; empty for an overload. */
  volatile String tokens = "{\"token\":\"granted\"}";

  /** The status of every request that is authorized; 0 for the right one. */
  volatile int status;

  /** The next blob is cut after this number of bytes; 0 for not at all. */
  volatile int cut;

  MemoryRegistry() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  OciReference reference(String rest) {
    return OciReference.parse("oci://" + host() + "/" + rest);
  }

  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      String method = exchange.getRequestMethod();
      String path = exchange.getRequestURI().getPath();
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      requests.add(method + " " + exchange.getRequestURI() + " " + authorization);
      if (path.equals("/token") && tokens.isEmpty()) {
        exchange.getResponseHeaders().set("Retry-After", "0");
        send(exchange, 503, "");
      } else if (path.equals("/token")) {
        boolean isKnown =
            method.equals("POST")
                ? new String(body, StandardCharsets.US_ASCII).equals(EXCHANGE)
                : ("Basic " + LOGIN).equals(authorization);
        send(exchange, isKnown ? 200 : 401, tokens);
      } else if (!scheme.isEmpty()
          && !(scheme.equals("Basic") ? "Basic " + LOGIN : "Bearer granted")
              .equals(authorization)) {
        String origin = realm.isEmpty() ? "http://" + host() : realm;
        exchange
            .getResponseHeaders()
            .set(
                "WWW-Authenticate",
                scheme
                    + " realm=\""
                    + origin
                    + "/token\",service=\"s\",scope=\"repository:x:pull\"");
        send(exchange, 401, "{}");
      } else if (status != 0) {
        send(
            exchange,
            status,
            "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\\u001bnot today\"}]}");
      } else {
        serve(exchange, method, path, body);
      }
    }
  }

  private void serve(HttpExchange exchange, String method, String path, byte[] body)
      throws IOException {
    String name = path.substring(path.lastIndexOf('/') + 1);
    String folder = path.substring(0, path.lastIndexOf('/') + 1);
    if (method.equals("POST")) {
      String stated = location;
      exchange
          .getResponseHeaders()
          .set("Location", stated == null ? storage + path + "session?_state=a%2Fb" : stated);
      send(exchange, 202, "");
    } else if (method.equals("PUT") && name.equals("session")) {
      String digest = exchange.getRequestURI().getQuery().replaceFirst(".*digest=", "");
      content.put(folder.replace("uploads/", "") + digest, body);
      send(exchange, Sha256.hash(body).toString().equals(digest) ? 201 : 400, "");
    } else if (method.equals("PUT")) {
      putManifest(exchange, path, folder + Sha256.hash(body), body);
      send(exchange, 201, "");
    } else if (folder.endsWith("/referrers/") && !lists.isEmpty()) {
      exchange.getResponseHeaders().set("Location", lists + path);
      send(exchange, 307, "");
    } else if (folder.endsWith("/referrers/") && hasReferrers) {
      if (!next.isEmpty() && !path.endsWith("/next")) {
        exchange.getResponseHeaders().set("Link", "<%s>; rel=\"next\"".formatted(next));
      }
      List<JsonNode> list = referrers.getOrDefault(name, List.of());
      send(
          exchange,
          200,
          JsonMapper.shared().writeValueAsString(Map.of("schemaVersion", 2, "manifests", list)));
    } else if (method.equals("GET") && folder.endsWith("/blobs/") && !storage.isEmpty()) {
      exchange.getResponseHeaders().set("Location", storage + path);
      send(exchange, 307, "");
    } else {
      get(exchange, method, path);
    }
  }

  private void putManifest(HttpExchange exchange, String path, String byDigest, byte[] body) {
    content.put(path, body);
    content.put(byDigest, body);
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    types.put(path, type);
    types.put(byDigest, type);
    JsonNode manifest = JsonMapper.shared().readTree(body);
    String subject = manifest.path("subject").path("digest").asString("");
    if (!subject.isEmpty() && hasReferrers) {
      exchange.getResponseHeaders().set("OCI-Subject", subject);
      JsonNode entry =
          JsonMapper.shared()
              .valueToTree(
                  Map.of(
                      "mediaType",
                      type,
                      "digest",
                      Sha256.hash(body).toString(),
                      "size",
                      body.length,
                      "artifactType",
                      manifest.path("artifactType").asString()));
      List<JsonNode> list = referrers.computeIfAbsent(subject, _ -> new CopyOnWriteArrayList<>());
      if (!list.contains(entry)) {
        list.add(entry);
      }
    }
  }

  private void get(HttpExchange exchange, String method, String path) throws IOException {
    byte[] bytes = content.get(path);
    if (bytes == null) {
      send(exchange, 404, "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"unknown\"}]}");
      return;
    }
    exchange
        .getResponseHeaders()
        .set("Content-Type", types.getOrDefault(path, "application/octet-stream"));
    if (!statedDigest.isEmpty() && path.contains("/manifests/")) {
      exchange.getResponseHeaders().set("Docker-Content-Digest", statedDigest);
    }
    if (method.equals("HEAD")) {
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    int start = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
    if (range != null) {
      ranges.add(range);
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/%d".formatted(start, bytes.length - 1, bytes.length));
    }
    exchange.sendResponseHeaders(start == 0 ? 200 : 206, bytes.length - start);
    int end = cut > 0 && path.contains("/blobs/") ? cut : bytes.length;
    cut = path.contains("/blobs/") ? 0 : cut;
    exchange.getResponseBody().write(bytes, start, end - start);
    exchange.getResponseBody().flush();
    if (end < bytes.length) {
      throw new IOException("cut by the test");
    }
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    boolean hasBody = !exchange.getRequestMethod().equals("HEAD");
    byte[] bytes = hasBody ? body.getBytes(StandardCharsets.UTF_8) : new byte[0];
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
