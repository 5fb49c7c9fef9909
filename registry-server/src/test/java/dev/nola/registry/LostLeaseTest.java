package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Leases that end: late calls, failures and lost workers. */
class LostLeaseTest extends JobTest {
  @Test
  void callsOfALateWorkerAreRefused() throws Exception {
    String id = submit("1.0.0");
    long old = takeAs("late").at("/fence").asLong();
    assertThat(put(id, "checkpoint", old, bytes("step 7")).status()).isEqualTo(204);
    loseLeases(id);

    assertThat(heartbeat(id, old).refusal()).isEqualTo("409 lease-lost");
    JsonNode lease = takeAs("next");
    long fence = lease.at("/fence").asLong();
    assertThat(lease.at("/job/id").asString()).isEqualTo(id);
    assertThat(fence).isGreaterThan(old);
    assertThat(lease.at("/checkpoint").asBoolean()).isTrue();

    byte[] file = Samples.file(1);
    assertThat(heartbeat(id, old).refusal()).isEqualTo("409 lease-lost");
    assertThat(put(id, "checkpoint", old, bytes("late")).refusal()).isEqualTo("409 lease-lost");
    assertThat(checkpoint(id, old).refusal()).isEqualTo("409 lease-lost");
    assertThat(put(id, "result", old, file).refusal()).isEqualTo("409 lease-lost");
    assertThat(fail(id, old, "late", true).refusal()).isEqualTo("409 lease-lost");
    // Nor may another account use a fence that is not its own.
    TestClient thief = admin.account("thief", "worker");
    assertThat(thief.post(JOBS + "/" + id + "/failure", failure(fence, "stolen", false)).refusal())
        .isEqualTo("409 lease-lost");

    assertThat(checkpoint(id, fence).bytes()).isEqualTo(bytes("step 7"));
    assertThat(heartbeat(id, fence).json().at("/cancel").asBoolean()).isFalse();
    Answer ended = put(id, "result", fence, file);
    assertThat(ended.text("/state")).isEqualTo("succeeded");
    assertThat(ended.text("/worker")).isEqualTo("next");
    assertThat(ended.json().at("/attempts").asInt()).isEqualTo(2);
    assertThat(put(id, "result", fence, file).refusal()).isEqualTo("409 lease-lost");
    Answer version = ann.get("/api/v1/adapters/" + namespace + "/mood/versions/1.0.0");
    assertThat(version.text("/digest")).isEqualTo(Sha256.hash(file).toString());
    assertThat(version.text("/publishedBy")).isEqualTo("ann");
    String metrics = new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8);
    assertThat(metrics)
        .contains("nola_jobs_late_total{call=\"result\"}")
        .contains("nola_jobs{state=\"succeeded\",type=\"train\"}");
  }

  @Test
  void failedJobIsRetriedUntilNoAttemptIsLeft() throws Exception {
    String id = submit("1.0.0");

    for (int attempt = 1; attempt <= 2; attempt++) {
      Answer answer = fail(id, takeAs("w").at("/fence").asLong(), "no memory", true);
      assertThat(answer.text("/state")).isEqualTo("queued");
      assertThat(answer.text("/reason")).isEqualTo("no memory");
      assertThat(answer.json().at("/attempts").asInt()).isEqualTo(attempt);
    }
    Answer last = fail(id, takeAs("w").at("/fence").asLong(), "no\0 memory", true);

    assertThat(last.text("/state")).isEqualTo("failed");
    assertThat(last.text("/reason")).isEqualTo("no\ufffd memory");
    assertThat(last.json().at("/finishedAt").isNull()).isFalse();
    assertThat(lease(worker, trainer("w")).at("/leases")).isEmpty();

    Answer retried = ann.post(JOBS + "/" + id + "/retry", Map.of());
    assertThat(retried.text("/state")).isEqualTo("queued");
    assertThat(retried.json().at("/attempts").asInt()).isZero();
    Answer poison = fail(id, takeAs("w").at("/fence").asLong(), "no such key: x", false);
    assertThat(poison.text("/state")).isEqualTo("failed");
    assertThat(ann.post(JOBS + "/" + id + "/cancel", "").refusal()).isEqualTo("409 ended");
  }

  @Test
  void backoffOfAFailedJobGrows() throws Exception {
    try (TestRegistry slow = TestRegistry.start("nola.jobs.backoff=100s")) {
      TestClient slowAdmin = slow.admin();
      String name = slowAdmin.namespace();
      slowAdmin.publish(name + "/mood@1.0.0", Samples.file(1));
      Map<String, Object> export =
          Map.of("type", "export", "export", Map.of("adapter", name + "/mood", "version", "1.0.0"));
      String id = slowAdmin.post(JOBS, export).text("/id");
      Map<String, Object> request = TestObjects.with(trainer("w"), "types", List.of("export"));
      for (int seconds : List.of(100, 200)) {
        long fence = lease(slowAdmin, request).at("/leases/0/fence").asLong();
        Instant start = Instant.now();
        Answer failed = slowAdmin.post(JOBS + "/" + id + "/failure", failure(fence, "no", true));
        assertThat(Instant.parse(failed.text("/notBefore")))
            .isBetween(start.plusSeconds(seconds - 5), Instant.now().plusSeconds(seconds + 5));
        assertThat(lease(slowAdmin, request).at("/leases")).isEmpty();
        slow.database().execute("update job set not_before = now()");
      }
    }
  }

  @Test
  void jobFailsAfterItsLastAttemptIsLost() throws Exception {
    String id = submit("1.0.0");
    for (int attempt = 1; attempt <= 3; attempt++) {
      takeAs("w" + attempt);
      loseLeases(id);
    }

    JsonNode job = ann.get(JOBS + "/" + id).json();
    assertThat(job.at("/state").asString()).isEqualTo("failed");
    assertThat(job.at("/reason").asString())
        .isEqualTo("worker w3 stopped sending heartbeats in attempt 3 of 3");
  }
}
