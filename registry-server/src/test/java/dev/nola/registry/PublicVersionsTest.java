package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Versions that are read again without a token, which the server answers from memory. */
class PublicVersionsTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static final byte[] FILE = Samples.file(4711);

  /** The server keeps a file for two seconds, which a busy machine may take for one request. */
  private static final int ATTEMPTS = 5;

  private TestClient owner = REGISTRY.admin();
  private String adapter = "";

  @BeforeEach
  void publish() throws Exception {
    owner = REGISTRY.admin().account("public-files", "publish");
    adapter = owner.namespace() + "/mood";
    assertThat(owner.publish(adapter + "@1.0.0", FILE).status()).isEqualTo(201);
    assertThat(get("1.0.0").bytes()).isEqualTo(FILE);
  }

  private String path(String reference) {
    return "/api/v1/adapters/" + adapter + "/versions/" + reference + "/file";
  }

  private Answer get(String reference, String... headers) throws Exception {
    return REGISTRY.anonymous().get(path(reference), headers);
  }

  private static Map<String, List<String>> headers(Answer answer) {
    Map<String, List<String>> headers = new LinkedHashMap<>(answer.response().headers().map());
    headers.keySet().removeIf(name -> name.equalsIgnoreCase("x-request-id"));
    headers.keySet().removeIf(name -> name.equalsIgnoreCase("date"));
    return headers;
  }

  @Test
  void secondAnswerIsTheFirst() throws Exception {
    for (String reference : List.of("latest", Sha256.hash(FILE).toString())) {
      Answer first = get(reference);
      Answer second = get(reference);
      assertThat(second.status()).isEqualTo(200);
      assertThat(second.bytes()).isEqualTo(FILE);
      assertThat(headers(second)).isEqualTo(headers(first)).containsKeys("etag", "repr-digest");
      assertThat(second.header("X-Request-Id")).isNotEqualTo(first.header("X-Request-Id"));
    }
  }

  @Test
  void secondDetailsAreTheFirst_alsoIfAMemberReadThemFirst() throws Exception {
    String details = "/api/v1/adapters/" + adapter + "/versions/latest";
    Answer first = owner.get(details);
    Answer second = REGISTRY.anonymous().get(details);
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.bytes()).isEqualTo(first.bytes());
    assertThat(headers(second)).isEqualTo(headers(first)).containsKeys("etag", "content-length");
  }

  @Test
  void conditionsRangesAndTokensAreHeeded() throws Exception {
    String tag = String.valueOf(get("1.0.0").header("ETag"));
    assertThat(get("1.0.0", "If-None-Match", tag).status()).isEqualTo(304);
    Answer range = get("1.0.0", "Range", "bytes=2-5");
    assertThat(range.status()).isEqualTo(206);
    assertThat(range.bytes()).isEqualTo(Arrays.copyOfRange(FILE, 2, 6));
    assertThat(REGISTRY.anonymous().head(path("1.0.0")).bytes()).isEmpty();
    assertThat(REGISTRY.admin().with("unknown").get(path("1.0.0")).status()).isEqualTo(401);
  }

  @Test
  void privateAdapterIsGoneAtOnce_andSentToItsMembersAlone() throws Exception {
    owner.patch("/api/v1/adapters/" + adapter, Map.of("visibility", "private"));
    String details = "/api/v1/adapters/" + adapter + "/versions/1.0.0";
    assertThat(get("1.0.0").status()).isEqualTo(404);
    assertThat(REGISTRY.anonymous().get(details).status()).isEqualTo(404);
    assertThat(owner.get(path("1.0.0")).status()).isEqualTo(200);
    assertThat(owner.get(details).status()).isEqualTo(200);
    assertThat(get("1.0.0").status()).isEqualTo(404);
    assertThat(REGISTRY.anonymous().get(details).status()).isEqualTo(404);
  }

  @Test
  void yankAndNewVersionAreSeenAtOnce() throws Exception {
    assertThat(get("latest").bytes()).isEqualTo(FILE);
    byte[] newer = Samples.file(4712);
    owner.publish(adapter + "@1.1.0", newer);
    assertThat(get("latest").bytes()).isEqualTo(newer);
    owner.put("/api/v1/adapters/" + adapter + "/versions/1.0.0/yank", Map.of("reason", "biased"));
    assertThat(get("1.0.0").header("Nola-Warning")).isEqualTo("yanked: biased");
    assertThat(REGISTRY.admin().delete("/api/v1/adapters/" + adapter + "/versions/1.1.0").status())
        .isEqualTo(204);
    assertThat(get("1.1.0").status()).isEqualTo(404);
  }

  @Test
  void fileThatWasJustSentIsSentAgainWithoutItsBlob() throws Exception {
    byte[] file = Samples.file(4713);
    assertThat(owner.publish(adapter + "@2.0.0", file).status()).isEqualTo(201);
    String hex = Sha256.hash(file).hex();
    boolean isRepeated = false;
    for (int i = 0; i < ATTEMPTS && !isRepeated; i++) {
      assertThat(get("2.0.0").bytes()).isEqualTo(file);
      for (Path blob : REGISTRY.blobFiles()) {
        if (blob.endsWith(hex)) {
          Files.delete(blob);
        }
      }
      isRepeated = Arrays.equals(get("2.0.0").bytes(), file);
      assertThat(owner.get(path("2.0.0")).refusal()).isEqualTo("500 damaged-blob");
      assertThat(owner.publish(adapter + "@2.0.0", file).status()).as("repaired").isEqualTo(200);
    }
    assertThat(isRepeated).isTrue();
  }

  @Test
  void detailsOfAVersionHaveAnEntityTagThatChangesWithThem() throws Exception {
    String version = "/api/v1/adapters/" + adapter + "/versions/1.0.0";
    Answer first = REGISTRY.anonymous().get(version);
    String tag = String.valueOf(first.header("ETag"));
    assertThat(REGISTRY.anonymous().get(version).bytes()).isEqualTo(first.bytes());
    assertThat(REGISTRY.anonymous().get(version, "If-None-Match", tag).status()).isEqualTo(304);
    owner.put("/api/v1/adapters/" + adapter + "/aliases/prod", Map.of("version", "1.0.0"));
    Answer aliased = REGISTRY.anonymous().get(version, "If-None-Match", tag);
    assertThat(aliased.status()).isEqualTo(200);
    assertThat(aliased.text("/aliases/0")).isEqualTo("prod");
  }
}
