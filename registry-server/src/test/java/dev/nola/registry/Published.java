package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** What must hold of a namespace after anything that can happen to a server. */
final class Published {
  private Published() {}

  /**
   * Everything that was acknowledged can be downloaded with its digest, and so can everything else
   * that is listed.
   *
   * @param acknowledged digests by {@code namespace/name@version}
   */
  static void assertAllWhole(TestClient client, String namespace, Map<String, String> acknowledged)
      throws Exception {
    Map<String, String> listed = new TreeMap<>();
    String adapters = "/api/v1/adapters?limit=100&sort=name&namespace=" + namespace;
    for (JsonNode adapter : client.get(adapters).json().at("/items")) {
      String name = namespace + "/" + adapter.at("/name").asString();
      String cursor = "";
      do {
        JsonNode page =
            client.get("/api/v1/adapters/" + name + "/versions?limit=100" + cursor).json();
        for (JsonNode version : page.at("/items")) {
          listed.put(
              name + "@" + version.at("/version").asString(), version.at("/digest").asString());
        }
        cursor = page.at("/next").isNull() ? "" : "&cursor=" + page.at("/next").asString();
      } while (!cursor.isEmpty());
    }
    assertThat(listed).containsAllEntriesOf(acknowledged);
    for (Map.Entry<String, String> version : listed.entrySet()) {
      TestClient.Answer file =
          client.get("/api/v1/adapters/" + version.getKey().replace("@", "/versions/") + "/file");
      assertThat(file.status()).as(version.getKey()).isEqualTo(200);
      assertThat(Sha256.hash(file.bytes())).as(version.getKey()).hasToString(version.getValue());
    }
  }
}
