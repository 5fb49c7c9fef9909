package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Models and datasets of a few bytes. */
final class TestObjects {
  private TestObjects() {}

  /** Uploads files and registers them; gives the revision. */
  static String putDataset(TestClient client, String name, Map<String, String> files)
      throws Exception {
    for (String text : files.values()) {
      assertThat(upload(client, "datasets/" + name, text).status()).isIn(200, 201);
    }
    Answer answer = client.put("/api/v1/datasets/" + name, manifest(files));
    assertThat(answer.status()).isIn(200, 201);
    return answer.text("/revision");
  }

  static Answer upload(TestClient client, String object, String text) throws Exception {
    return upload(client, object, digest(text), text);
  }

  static Answer upload(TestClient client, String object, String digest, String text)
      throws Exception {
    return client.send(
        "PUT",
        "/api/v1/" + object + "/files/" + digest,
        BodyPublishers.ofString(text),
        "Content-Type",
        "application/octet-stream");
  }

  static Map<String, Object> manifest(Map<String, String> files) {
    List<Map<String, Object>> entries = new ArrayList<>();
    new TreeMap<>(files)
        .forEach(
            (path, text) ->
                entries.add(
                    Map.of(
                        "path",
                        path,
                        "size",
                        text.getBytes(StandardCharsets.UTF_8).length,
                        "digest",
                        digest(text))));
    return Map.of("description", "for a test", "files", entries);
  }

  static String digest(String text) {
    return Sha256.hash(text.getBytes(StandardCharsets.UTF_8)).toString();
  }

  /** Returns a copy of a request with one member replaced. */
  static Map<String, Object> with(Map<String, Object> request, String key, Object value) {
    Map<String, Object> changed = new HashMap<>(request);
    changed.put(key, value);
    return changed;
  }
}
