package dev.nola.registry;

import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Talks to a registry as any program would, and checks that openapi.yaml describes its responses.
 */
record TestClient(String server, @Nullable String token) {
  static final String PROBLEM = "application/problem+json";

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final AtomicInteger NAMES = new AtomicInteger();

  /** What the server said. */
  record Answer(HttpResponse<byte[]> response) {
    int status() {
      return response.statusCode();
    }

    byte[] bytes() {
      return response.body();
    }

    @Nullable String header(String name) {
      return response.headers().firstValue(name).orElse(null);
    }

    JsonNode json() {
      return JsonMapper.shared().readTree(response.body());
    }

    /** A field of the body, by its JSON pointer; empty if it is missing. */
    String text(String pointer) {
      return json().at(pointer).asString("");
    }

    /** Status and the end of the problem's type, such as {@code 404 not-found}. */
    String refusal() {
      return status() + " " + text("/type").replace("urn:nola:problem:", "");
    }
  }

  TestClient with(@Nullable String otherToken) {
    return new TestClient(server, otherToken);
  }

  /** A name that no other test has. */
  static String freshName() {
    return "n" + NAMES.incrementAndGet();
  }

  Answer get(String path, String... headers) throws IOException, InterruptedException {
    return send("GET", path, BodyPublishers.noBody(), headers);
  }

  Answer head(String path, String... headers) throws IOException, InterruptedException {
    return send("HEAD", path, BodyPublishers.noBody(), headers);
  }

  Answer delete(String path) throws IOException, InterruptedException {
    return send("DELETE", path, BodyPublishers.noBody());
  }

  Answer put(String path) throws IOException, InterruptedException {
    return send("PUT", path, BodyPublishers.noBody());
  }

  Answer put(String path, Object body) throws IOException, InterruptedException {
    return json("PUT", path, body);
  }

  Answer post(String path, Object body) throws IOException, InterruptedException {
    return json("POST", path, body);
  }

  Answer patch(String path, Object body) throws IOException, InterruptedException {
    return json("PATCH", path, body);
  }

  /** Publishes {@code namespace/name@version}. */
  Answer publish(String version, byte[] file) throws IOException, InterruptedException {
    return publish(version, "", file);
  }

  /** Publishes the first version of a private adapter. */
  Answer publishPrivate(String version, byte[] file) throws IOException, InterruptedException {
    return publish(version, "?visibility=private", file);
  }

  private Answer publish(String version, String query, byte[] file)
      throws IOException, InterruptedException {
    return send(
        "POST",
        "/api/v1/adapters/" + version.replace("@", "/versions/") + query,
        BodyPublishers.ofByteArray(file),
        "Content-Type",
        AdapterFile.MEDIA_TYPE);
  }

  /** Makes a token and gives a client that has it. */
  TestClient token(Object request) throws IOException, InterruptedException {
    Answer answer = post("/api/v1/tokens", request);
    if (answer.status() != 201) {
      throw new AssertionError(new String(answer.bytes(), StandardCharsets.UTF_8));
    }
    return with(answer.text("/secret"));
  }

  /** Someone else, with a token for these scopes; called on an admin. */
  TestClient account(String account, String... scopes) throws IOException, InterruptedException {
    return token(Map.of("account", account, "scopes", List.of(scopes)));
  }

  /** Makes a namespace of the caller's, and gives its name. */
  String namespace() throws IOException, InterruptedException {
    String name = freshName();
    Answer answer = put("/api/v1/namespaces/" + name);
    if (answer.status() != 201) {
      throw new AssertionError(answer.refusal());
    }
    return name;
  }

  private Answer json(String method, String path, Object body)
      throws IOException, InterruptedException {
    byte[] bytes =
        body instanceof String text
            ? text.getBytes(StandardCharsets.UTF_8)
            : JsonMapper.shared().writeValueAsBytes(body);
    return send(
        method, path, BodyPublishers.ofByteArray(bytes), "Content-Type", "application/json");
  }

  Answer send(String method, String path, BodyPublisher body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server + path))
            .timeout(Duration.ofSeconds(60))
            .method(method, body);
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    HttpResponse<byte[]> response = HTTP.send(request.build(), BodyHandlers.ofByteArray());
    ApiContract.check(method, path, response);
    return new Answer(response);
  }
}
