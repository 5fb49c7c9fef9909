package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RevokedStreamTest {
  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();

  @Test
  void streamEndsWhenItsTokenIsRevoked() throws Exception {
    TestClient owner = admin.account("stream-owner", "publish");
    String namespace = owner.namespace();
    String job = waitingJob(owner, namespace);
    TestClient reader = admin.account("stream-owner", "read");
    CompletableFuture<Answer> stream = follow(reader, job);

    reader.delete("/api/v1/tokens/" + reader.get("/api/v1/tokens/current").text("/id"));

    assertThat(stream.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
  }

  @Test
  void streamEndsWhenItsAccountIsNoLongerMember() throws Exception {
    TestClient owner = admin.account("stream-owner", "publish");
    String namespace = owner.namespace();
    String member = "/api/v1/namespaces/" + namespace + "/members/stream-guest";
    TestClient guest = admin.account("stream-guest", "read");
    owner.put(member, Map.of("role", "member"));
    String job = waitingJob(owner, namespace);
    CompletableFuture<Answer> stream = follow(guest, job);

    owner.delete(member);

    assertThat(stream.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
  }

  private static String waitingJob(TestClient owner, String namespace) throws Exception {
    owner.publish(namespace + "/mood@1.0.0", Samples.file(1));
    Map<String, String> verify =
        Map.of("adapter", namespace + "/mood", "version", "1.0.0", "backend", "scalar");
    return owner.post("/api/v1/jobs", Map.of("type", "verify", "verify", verify)).text("/id");
  }

  private static CompletableFuture<Answer> follow(TestClient client, String job) throws Exception {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                answer.complete(client.get("/api/v1/jobs/" + job + "/events"));
              } catch (Exception e) {
                answer.completeExceptionally(e);
              }
            });
    Thread.sleep(1500);
    assertThat(answer).isNotDone();
    return answer;
  }
}
