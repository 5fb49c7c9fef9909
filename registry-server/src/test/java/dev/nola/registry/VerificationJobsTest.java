package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.attestation.Nonce;
import dev.nola.digest.Sha256;
import dev.nola.registry.jobs.VerificationJobs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** What {@link VerificationJobs} does for those who judge verifications. */
class VerificationJobsTest {
  private static final Nonce NONCE = new Nonce("ab".repeat(32));

  private TestRegistry registry;
  private VerificationJobs jobs;
  private TransactionTemplate transaction;
  private TestClient worker;
  private String namespace = "";

  @BeforeEach
  void start() throws Exception {
    registry = TestRegistry.start();
    jobs = registry.beans(VerificationJobs.class).iterator().next();
    transaction = registry.beans(TransactionTemplate.class).iterator().next();
    worker = registry.admin().account("worker", "worker");
    namespace = registry.admin().namespace();
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  /** Lots of small jobs: every one is finished, and by one worker only. */
  @Test
  void manyAreFinishedOnceEachByFourWorkers() throws Exception {
    int count = 2_000;
    int workers = 4;
    List<VerificationJobs.Verification> verifications = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      verifications.add(verification(i, "scalar"));
    }
    Set<UUID> submitted = Set.copyOf(jobs.submitVerifications(verifications));
    Map<UUID, String> finishedBy = new ConcurrentHashMap<>();
    long start = System.nanoTime();
    try (ExecutorService executor = Executors.newFixedThreadPool(workers)) {
      List<Future<?>> running = new ArrayList<>();
      for (int w = 0; w < workers; w++) {
        String name = "w" + w;
        Map<String, Object> request =
            TestObjects.with(new Verifications(worker).request(name), "max", 100);
        running.add(
            executor.submit(
                () -> {
                  for (JsonNode leases = lease(request);
                      !leases.isEmpty();
                      leases = lease(request)) {
                    List<VerificationJobs.Verified> outcomes = new ArrayList<>();
                    Map<UUID, Long> fences = new HashMap<>();
                    for (JsonNode lease : leases) {
                      UUID id = UUID.fromString(lease.at("/job/id").asString());
                      long fence = lease.at("/fence").asLong();
                      fences.put(id, fence);
                      outcomes.add(new VerificationJobs.Verified(id, fence, "match", null));
                    }
                    Set<UUID> finished =
                        transaction.execute(
                            _ -> {
                              assertThat(jobs.leasedVerifications("worker", fences))
                                  .hasSize(fences.size());
                              return jobs.finishVerifications("worker", outcomes);
                            });
                    for (UUID id : finished) {
                      assertThat(finishedBy.put(id, name)).as("finished before").isNull();
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> future : running) {
        future.get();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%d verifications leased over HTTP and finished by %d threads: %.0f/s%n",
        count, workers, count / seconds);
    assertThat(finishedBy.keySet()).isEqualTo(submitted);
    assertThat(
            registry
                .database()
                .count(
                    "select count(*) from job where state = 'SUCCEEDED' and attempts = 1"
                        + " and outcome = 'match'"))
        .isEqualTo(count);
    assertThat(
            registry.database().count("select count(*) from job_event where state = 'SUCCEEDED'"))
        .isEqualTo(count);
  }

  @Test
  void ofCopiesAKeyGetsOneHoweverManyAskAtOnce() throws Exception {
    List<VerificationJobs.Verification> copies = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      copies.add(verification(0, "scalar"));
    }
    jobs.submitVerifications(copies);
    Map<String, Object> request = new Verifications(worker).request("w");
    int leased = 0;
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<JsonNode>> asked = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        asked.add(executor.submit(() -> lease(request)));
      }
      for (Future<JsonNode> answer : asked) {
        leased += answer.get().size();
      }
    }
    assertThat(leased).isEqualTo(1);
    assertThat(lease(TestObjects.with(new Verifications(worker).request("w2"), "max", 100)))
        .hasSize(1);
  }

  @Test
  void whatWasLostIsNotFinished() throws Exception {
    jobs.submitVerifications(
        List.of(verification(0, "scalar"), verification(1, "scalar"), verification(2, "scalar")));
    Map<String, Object> request =
        TestObjects.with(new Verifications(worker).request("w"), "max", 3);
    JsonNode leases = lease(request);
    UUID first = id(leases.get(0));
    UUID second = id(leases.get(1));
    UUID third = id(leases.get(2));
    registry
        .database()
        .execute("update job set state = 'QUEUED', expires_at = null where id = '" + second + "'");
    registry
        .database()
        .execute("update job set cancel_requested = true where id = '" + third + "'");
    Map<UUID, Long> fences = new HashMap<>();
    List<VerificationJobs.Verified> outcomes = new ArrayList<>();
    for (JsonNode lease : leases) {
      fences.put(id(lease), lease.at("/fence").asLong());
      outcomes.add(
          new VerificationJobs.Verified(id(lease), lease.at("/fence").asLong(), "match", null));
    }

    Map<UUID, VerificationJobs.LeasedVerification> leased =
        transaction.execute(_ -> jobs.leasedVerifications("worker", fences));
    assertThat(leased).containsOnlyKeys(first);
    assertThat(leased.get(first).nonce()).isEqualTo(NONCE);
    assertThat(leased.get(first).digest()).hasToString(leases.get(0).at("/digest").asString());
    Map<UUID, VerificationJobs.LeasedVerification> foreign =
        transaction.execute(_ -> jobs.leasedVerifications("other", fences));
    assertThat(foreign).isEmpty();
    assertThat(jobs.finishVerifications("other", outcomes)).isEmpty();
    assertThat(jobs.finishVerifications("worker", outcomes)).containsExactly(first);
    assertThat(jobs.finishVerifications("worker", outcomes)).isEmpty();
  }

  @Test
  void refusedVerificationGoesToAnotherKey() throws Exception {
    UUID job = jobs.submitVerifications(List.of(verification(0, "torch"))).getFirst();
    Map<String, Object> liar = new Verifications(worker).request("liar");
    long fence = lease(liar).get(0).at("/fence").asLong();

    assertThat(jobs.refuseVerification("worker", job, fence + 1, "wrong-proof")).isFalse();
    assertThat(jobs.refuseVerification("worker", job, fence, "wrong-proof")).isTrue();

    assertThat(registry.admin().get("/api/v1/jobs/" + job).text("/reason"))
        .isEqualTo("wrong-proof");
    assertThat(lease(liar)).isEmpty();
    JsonNode next = lease(new Verifications(worker).request("other"));
    assertThat(id(next.get(0))).isEqualTo(job);
    assertThat(next.get(0).at("/fence").asLong()).isGreaterThan(fence);
  }

  @Test
  void verificationsOfADeletedVersionAreCancelled() throws Exception {
    List<UUID> ids =
        jobs.submitVerifications(List.of(verification(0, "scalar"), verification(0, "vector")));
    UUID other = jobs.submitVerifications(List.of(verification(1, "scalar"))).getFirst();
    UUID running = id(lease(new Verifications(worker).request("w")).get(0));

    assertThat(jobs.cancelVerifications(namespace, "mood", "0.0.0", "deleted")).isEqualTo(2);

    for (UUID id : ids) {
      JsonNode job = registry.admin().get("/api/v1/jobs/" + id).json();
      assertThat(job.at("/reason").asString()).isEqualTo("deleted");
      assertThat(job.at("/state").asString())
          .isEqualTo(id.equals(running) ? "running" : "cancelled");
      assertThat(job.at("/cancelRequested").asBoolean()).isEqualTo(id.equals(running));
    }
    assertThat(registry.admin().get("/api/v1/jobs/" + other).text("/state")).isEqualTo("queued");
  }

  private VerificationJobs.Verification verification(int number, String backend) {
    return new VerificationJobs.Verification(
        namespace,
        "mood",
        number + ".0.0",
        Sha256.hash(new byte[] {(byte) number, (byte) (number >> 8)}),
        backend,
        0,
        NONCE);
  }

  private JsonNode lease(Map<String, Object> request) throws Exception {
    TestClient.Answer answer = worker.post("/api/v1/jobs/lease", request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(200);
    return answer.json().at("/leases");
  }

  private static UUID id(JsonNode lease) {
    return UUID.fromString(lease.at("/job/id").asString());
  }
}
