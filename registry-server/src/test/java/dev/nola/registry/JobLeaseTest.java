package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Which worker gets which job. */
class JobLeaseTest extends JobTest {
  @Test
  void higherPriorityIsLeasedFirstThenTheOldest() throws Exception {
    String a = submit("1.0.0");
    String b = submit("2.0.0");
    String c = submit("3.0.0");
    assertThat(ann.patch(JOBS + "/" + c, Map.of("priority", 5)).json().at("/priority").asInt())
        .isEqualTo(5);
    assertThat(ann.patch(JOBS + "/" + a, Map.of("priority", 11)).text("/detail"))
        .isEqualTo(
            "invalid priority: 11; must be -1000 to 10; higher ones need an admin token without a limit");
    assertThat(
            ann.post(JOBS, TestObjects.with(training("9.0.0", Map.of()), "priority", 11)).refusal())
        .isEqualTo("422 invalid");
    TestClient narrow =
        admin.token(
            Map.of(
                "account", "narrow", "scopes", List.of("admin"), "namespaces", List.of(namespace)));
    assertThat(narrow.patch(JOBS + "/" + a, Map.of("priority", 11)).refusal())
        .as("the queue is shared with all namespaces")
        .isEqualTo("422 invalid");
    assertThat(admin.patch(JOBS + "/" + b, Map.of("priority", 1001)).refusal())
        .isEqualTo("422 invalid");
    assertThat(admin.patch(JOBS + "/" + b, Map.of("priority", 1000)).status()).isEqualTo(200);
    assertThat(admin.patch(JOBS + "/" + b, Map.of("priority", 0)).status()).isEqualTo(200);

    JsonNode two = lease(worker, TestObjects.with(trainer("w"), "max", 2)).at("/leases");
    JsonNode rest = lease(worker, TestObjects.with(trainer("w"), "max", 2)).at("/leases");

    assertThat(ids(two)).containsExactly(c, a);
    assertThat(ids(rest)).containsExactly(b);
    assertThat(two.get(0).at("/fence").asLong()).isPositive();
    assertThat(ann.patch(JOBS + "/" + a, Map.of("priority", 1)).refusal())
        .isEqualTo("409 not-queued");
    assertThat(lease(worker, trainer("w")).at("/leases")).isEmpty();
  }

  @Test
  void workersNameWithControlCharacters_isRefused() throws Exception {
    Answer answer = worker.post(JOBS + "/lease", trainer("w\n2026 ERROR forged \u001b[31m\u202e"));

    assertThat(answer.refusal()).isEqualTo("422 invalid");
    assertThat(answer.text("/detail"))
        .isEqualTo(
            "worker contains control characters; must be printable: w 2026 ERROR forged  [31m ");
  }

  @Test
  void queuedJobsOfAnAccount_areLimitedHoweverManyAreSubmittedAtOnce() throws Exception {
    try (TestRegistry small = TestRegistry.start("nola.jobs.max-queued=3");
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      TestClient eve = small.admin().account(TestClient.freshName(), "publish");
      String adapter = eve.namespace() + "/mood";
      eve.publish(adapter + "@1.0.0", Samples.file(44_001));
      Map<String, Object> request =
          Map.of(
              "type",
              "verify",
              "verify",
              Map.of("adapter", adapter, "version", "1.0.0", "backend", "scalar"));
      List<Callable<Answer>> calls = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        calls.add(() -> eve.post(JOBS, request));
      }

      List<Answer> answers = new ArrayList<>();
      for (Future<Answer> call : executor.invokeAll(calls)) {
        answers.add(call.get());
      }

      assertThat(answers).filteredOn(answer -> answer.status() == 201).hasSize(3);
      assertThat(answers)
          .filteredOn(answer -> answer.refusal().equals("429 too-many-requests"))
          .hasSize(9);
      Answer queued =
          answers.stream().filter(answer -> answer.status() == 201).findFirst().orElseThrow();
      assertThat(eve.post(JOBS + "/" + queued.text("/id") + "/cancel", Map.of()).status())
          .isEqualTo(200);
      assertThat(eve.post(JOBS, request).status()).isEqualTo(201);
      assertThat(eve.post(JOBS + "/" + queued.text("/id") + "/retry", Map.of()).refusal())
          .isEqualTo("429 too-many-requests");
    }
  }

  @Test
  void workerGetsJobsThatItCanRun() throws Exception {
    ann.put(
        "/api/v1/models/" + namespace + "/base", TestObjects.manifest(Map.of("w", "not stored")));
    String model = ann.get("/api/v1/models/" + namespace + "/base").text("/revision");
    String needsGpu = post(training("1.0.0", Map.of("cuda", true)));
    String needsMemory = post(training("2.0.0", Map.of("memoryBytes", 8L << 30)));
    String needsModel = post(training("3.0.0", Map.of("model", namespace + "/base")));

    assertThat(lease(worker, trainer("small")).at("/leases")).isEmpty();
    assertThat(
            lease(worker, TestObjects.with(trainer("w"), "types", List.of("export"))).at("/leases"))
        .isEmpty();
    assertThat(ids(lease(worker, TestObjects.with(trainer("gpu"), "cuda", true)).at("/leases")))
        .containsExactly(needsGpu);
    assertThat(
            ids(
                lease(worker, TestObjects.with(trainer("large"), "memoryBytes", 8L << 30))
                    .at("/leases")))
        .containsExactly(needsMemory);
    JsonNode modelled =
        lease(worker, TestObjects.with(trainer("model"), "models", List.of(model))).at("/leases");
    assertThat(ids(modelled)).containsExactly(needsModel);
    assertThat(modelled.at("/0/model/revision").asString()).isEqualTo(model);
    TestClient elsewhere =
        admin.token(
            Map.of(
                "account", "narrow", "scopes", List.of("worker"), "namespaces", List.of("other")));
    submit("4.0.0");
    assertThat(lease(elsewhere, trainer("w")).at("/leases")).isEmpty();
  }

  @Test
  void approvedKeyGetsOneVerificationOfTheSameBytes() throws Exception {
    Verifications verifications = new Verifications(worker);
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    Set<String> leased =
        Set.of(
            post(verification("mood", "1.0.0", "scalar")),
            post(verification("mood", "latest", "scalar")));
    String vector = post(verification("mood", "1.0.0", "vector"));
    Map<String, Object> request = TestObjects.with(verifications.request("w1"), "max", 10);

    Map<String, Object> unknown = TestObjects.with(request, "key", TestObjects.digest("no key"));
    assertThat(lease(worker, unknown).at("/leases")).isEmpty();
    JsonNode scalar =
        lease(worker, TestObjects.with(request, "backends", List.of("scalar"))).at("/leases");
    assertThat(scalar).hasSize(1);
    assertThat(leased).contains(ids(scalar).getFirst());
    assertThat(scalar.at("/0/digest").asString())
        .isEqualTo(Sha256.hash(Samples.file(1)).toString());
    assertThat(scalar.at("/0/nonce").asString()).matches("[0-9a-f]{64}");
    assertThat(scalar.at("/0/job/request/verify/version").asString()).isEqualTo("1.0.0");
    assertThat(ids(lease(worker, request).at("/leases"))).containsExactly(vector);
    // The other copy is for another key.
    assertThat(lease(worker, request).at("/leases")).isEmpty();
    assertThat(lease(worker, new Verifications(worker).request("w2")).at("/leases")).hasSize(1);
  }

  @Test
  void concurrentWorkersGetDifferentJobs() throws Exception {
    int jobs = 200;
    int takers = 16;
    Set<String> all = new HashSet<>();
    for (int i = 0; i < jobs; i++) {
      all.add(submit("1." + i + ".0"));
    }
    List<String> taken = new ArrayList<>();
    Set<Long> fences = new HashSet<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(takers)) {
      List<Callable<List<JsonNode>>> tasks = new ArrayList<>();
      for (int i = 0; i < takers; i++) {
        Map<String, Object> request = TestObjects.with(trainer("w" + i), "max", 1 + i % 4);
        tasks.add(
            () -> {
              List<JsonNode> jobsOfTaker = new ArrayList<>();
              for (JsonNode leases = lease(worker, request).at("/leases");
                  !leases.isEmpty();
                  leases = lease(worker, request).at("/leases")) {
                leases.forEach(jobsOfTaker::add);
              }
              return jobsOfTaker;
            });
      }
      for (Future<List<JsonNode>> future : executor.invokeAll(tasks)) {
        for (JsonNode lease : future.get()) {
          taken.add(lease.at("/job/id").asString());
          fences.add(lease.at("/fence").asLong());
        }
      }
    }
    assertThat(taken).hasSize(jobs).containsExactlyInAnyOrderElementsOf(all);
    assertThat(fences).hasSize(jobs);
  }

  @Test
  void waitingWorkerGetsTheNextJob() throws Exception {
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      Future<JsonNode> waiting =
          executor.submit(() -> lease(worker, TestObjects.with(trainer("w"), "waitSeconds", 30)));
      awaitRequest("POST"); // it waits, or is about to: the answer is the same
      String id = submit("1.0.0");

      assertThat(ids(waiting.get().at("/leases"))).containsExactly(id);
    }
    assertThat(worker.post(JOBS + "/lease", TestObjects.with(trainer("w"), "max", 101)).refusal())
        .isEqualTo("422 invalid");
    assertThat(
            worker
                .post(JOBS + "/lease", TestObjects.with(trainer("w"), "waitSeconds", 31))
                .refusal())
        .isEqualTo("422 invalid");
  }

  /** Whose connection has ended waits no more: the job goes to another, as if it were the first. */
  @Test
  void disconnectedWorkerGetsNoJob() throws Exception {
    URI server = URI.create(worker.server());
    byte[] body =
        JsonMapper.shared().writeValueAsBytes(TestObjects.with(trainer("gone"), "waitSeconds", 30));
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket
          .getOutputStream()
          .write(
              bytes(
                  """
                  POST %s/lease HTTP/1.1\r
                  Host: %s\r
                  Authorization: Bearer %s\r
                  Content-Type: application/json\r
                  Content-Length: %d\r
                  \r
                  """
                      .formatted(JOBS, server.getAuthority(), worker.token(), body.length)));
      socket.getOutputStream().write(body);
      // It waits: its answer has begun.
      assertThat(new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
          .isEqualTo("HTTP/1.1 200");
    }
    String id = submit("1.0.0");

    JsonNode lease =
        lease(worker, TestObjects.with(trainer("here"), "waitSeconds", 15)).at("/leases/0");

    assertThat(lease.at("/job/id").asString()).isEqualTo(id);
    assertThat(lease.at("/job/attempts").asInt()).isEqualTo(1);
  }
}
