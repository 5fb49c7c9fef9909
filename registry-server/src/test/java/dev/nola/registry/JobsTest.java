package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class JobsTest {
  private static final String JOBS = "/api/v1/jobs";
  private static TestRegistry registry;
  private static TestClient admin;
  private static TestClient worker;

  private TestClient ann = admin;
  private String namespace = "";

  /** A server of its own: what other tests queue must not be leased here. */
  @BeforeAll
  static void start() throws Exception {
    registry =
        TestRegistry.start(
            "nola.jobs.backoff=1ms", "nola.jobs.max-backoff=1ms", "nola.verification.backends=");
    admin = registry.admin();
    worker = admin.account("worker", "worker");
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void createNamespace() throws Exception {
    registry
        .database()
        .execute(
            "update job set state = 'CANCELLED', expires_at = null where state in ('QUEUED', 'RUNNING')");
    ann = admin.account("ann", "publish");
    namespace = ann.namespace();
    TestObjects.putDataset(
        ann, namespace + "/glosses", Map.of("train.tsv", "a\tb", "sub/valid.tsv", "c\td"));
  }

  // ---- Asking

  @Test
  void trainingIsPinnedToWhatItsReferencesMean() throws Exception {
    String revision = ann.get("/api/v1/datasets/" + namespace + "/glosses").text("/revision");

    Answer answer = ann.post(JOBS, training("1.0.0", Map.of()));

    assertThat(answer.status()).isEqualTo(201);
    String id = answer.text("/id");
    assertThat(answer.header("Location")).isEqualTo(JOBS + "/" + id);
    assertThat(answer.text("/state")).isEqualTo("queued");
    assertThat(answer.text("/createdBy")).isEqualTo("ann");
    assertThat(answer.text("/request/train/dataset")).isEqualTo(namespace + "/glosses@" + revision);
    TestObjects.putDataset(
        ann, namespace + "/glosses", Map.of("train.tsv", "other", "sub/valid.tsv", "c\td"));
    JsonNode lease = lease(worker, trainer("w")).at("/leases/0");
    assertThat(lease.at("/job/id").asString()).isEqualTo(id);
    assertThat(lease.at("/dataset/revision").asString()).isEqualTo(revision);
    assertThat(lease.at("/dataset/files")).hasSize(2);
    assertThat(lease.at("/model").isMissingNode()).isTrue();
    assertThat(lease.at("/memoryBytes").asLong()).isEqualTo(4L << 30);
    assertThat(lease.at("/timeoutSeconds").asInt()).isEqualTo(3600);
    assertThat(lease.at("/heartbeatSeconds").asInt()).isBetween(1, 2);
    assertThat(lease.at("/checkpoint").asBoolean()).isFalse();
  }

  @Test
  void trainingThatReachesOutsideItsDatasetIsRefused() throws Exception {
    assertThat(submitJob(Map.of("data", Map.of("train", "/etc/passwd"))).refusal())
        .isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("data", Map.of("train", "absent.tsv"))).text("/detail"))
        .contains("data.train=absent.tsv, must be the path of a file in");
    assertThat(submitJob(Map.of("data", Map.of("train", "sub/../train.tsv"))).refusal())
        .isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("data", Map.of("train", List.of("train.tsv")))).refusal())
        .isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("data", Map.of("vocabulary", "https://evil/x"))).refusal())
        .isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("data.train", "/etc/passwd")).refusal()).isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("model", Map.of("base", "llama"))).text("/detail"))
        .contains("model.base must not be set");
    assertThat(submitJob(Map.of("model", Map.of("deep", List.of(Map.of("x", "../up"))))).refusal())
        .isEqualTo("422 invalid");
    assertThat(submitJob(Map.of("note", "x".repeat(70_000))).text("/detail")).contains("limit is");
    assertThat(submitJob(Map.of("data", Map.of("train", "sub/valid.tsv"))).status()).isEqualTo(201);
  }

  @Test
  void namesVersionsAndReferencesAreCheckedBeforeAnyoneWorks() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));

    assertThat(ann.post(JOBS, training("1.0.0", Map.of())).refusal())
        .isEqualTo("409 version-exists");
    assertThat(ann.post(JOBS, training("one", Map.of())).refusal()).isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, training("2.0.0", Map.of("adapter", namespace + "/Mood"))).refusal())
        .isEqualTo("422 invalid");
    assertThat(
            ann.post(JOBS, training("2.0.0", Map.of("dataset", namespace + "/absent"))).refusal())
        .isEqualTo("422 invalid");
    assertThat(
            ann.post(
                    JOBS,
                    training(
                        "2.0.0",
                        Map.of("dataset", namespace + "/glosses@" + TestObjects.digest("none"))))
                .refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, training("2.0.0", Map.of("visibility", "private"))).refusal())
        .isEqualTo("409 other-visibility");
    assertThat(ann.post(JOBS, training("2.0.0", Map.of("timeoutSeconds", 0))).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, training("2.0.0", Map.of("memoryBytes", Long.MAX_VALUE))).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, Map.of("type", "train")).refusal()).isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, verification("mood", "1.0.0", "abacus")).refusal())
        .isEqualTo("422 invalid");
    assertThat(ann.post(JOBS, verification("mood", "9.0.0", "scalar")).refusal())
        .isEqualTo("404 not-found");
    TestClient bob = admin.account("bob", "publish");
    assertThat(bob.post(JOBS, training("2.0.0", Map.of())).refusal()).isEqualTo("403 forbidden");
    Map<String, Object> bobs = new HashMap<>(training("1.0.0", Map.of()));
    String his = bob.namespace();
    bobs.put("train", train("1.0.0", Map.of("adapter", his + "/mood")));
    assertThat(bob.post(JOBS, bobs).text("/detail")).contains("must be registered");
  }

  @Test
  void bodyThatLacksSomethingIsRefusedByName() throws Exception {
    Answer submitted = ann.post(JOBS, Map.of("type", "train", "train", Map.of("version", "1.0.0")));
    assertThat(submitted.refusal()).isEqualTo("400 unreadable");
    assertThat(submitted.text("/detail")).contains("adapter is missing");
    assertThat(ann.post(JOBS, Map.of()).refusal()).isEqualTo("400 unreadable");
    Map<String, Object> incomplete = trainer("w");
    incomplete.remove("types");
    assertThat(worker.post(JOBS + "/lease", incomplete).refusal()).isEqualTo("400 unreadable");
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    assertThat(
            worker
                .post(JOBS + "/" + id + "/failure", Map.of("fence", fence, "retryable", true))
                .refusal())
        .isEqualTo("400 unreadable");
    assertThat(
            worker
                .post(
                    JOBS + "/" + id + "/heartbeat",
                    Map.of("fence", fence, "log", List.of(), "metrics", List.of(Map.of("step", 1))))
                .refusal())
        .isEqualTo("400 unreadable");
  }

  @Test
  void jobsAreListedToThoseWhoMaySeeThem() throws Exception {
    String first = submit("1.0.0");
    String second = submit("2.0.0");
    TestClient bob = admin.account("bob", "publish");

    Answer page = ann.get(JOBS + "?limit=1&namespace=" + namespace);
    assertThat(page.text("/items/0/id")).isEqualTo(second);
    assertThat(
            ann.get(JOBS + "?limit=1&namespace=" + namespace + "&cursor=" + page.text("/next"))
                .text("/items/0/id"))
        .isEqualTo(first);
    JsonNode all = ann.get(JOBS + "?adapter=" + namespace + "/mood&state=queued&type=train").json();
    assertThat(all.at("/items")).as(all.toString()).hasSize(2);
    assertThat(ann.get(JOBS + "?adapter=" + namespace + "/mood&state=failed").json().at("/items"))
        .isEmpty();
    assertThat(bob.get(JOBS).json().at("/items")).isEmpty();
    assertThat(bob.get(JOBS + "/" + first).refusal()).isEqualTo("404 not-found");
    assertThat(bob.post(JOBS + "/" + first + "/cancel", "").refusal()).isEqualTo("404 not-found");
    assertThat(worker.get(JOBS + "?namespace=" + namespace).json().at("/items")).hasSize(2);
    assertThat(worker.get(JOBS + "/" + first).status()).isEqualTo(200);
  }

  // ---- Taking

  @Test
  void higherPriorityGoesFirstAndThenTheOldest() throws Exception {
    String a = submit("1.0.0");
    String b = submit("2.0.0");
    String c = submit("3.0.0");
    assertThat(ann.patch(JOBS + "/" + c, Map.of("priority", 5)).json().at("/priority").asInt())
        .isEqualTo(5);
    assertThat(ann.patch(JOBS + "/" + a, Map.of("priority", 5000)).refusal())
        .isEqualTo("422 invalid");

    JsonNode two = lease(worker, with(trainer("w"), "max", 2)).at("/leases");
    JsonNode rest = lease(worker, with(trainer("w"), "max", 2)).at("/leases");

    assertThat(ids(two)).containsExactly(c, a);
    assertThat(ids(rest)).containsExactly(b);
    assertThat(two.get(0).at("/fence").asLong()).isPositive();
    assertThat(ann.patch(JOBS + "/" + a, Map.of("priority", 1)).refusal())
        .isEqualTo("409 not-queued");
    assertThat(lease(worker, trainer("w")).at("/leases")).isEmpty();
  }

  @Test
  void workerGetsWhatItCanDo() throws Exception {
    ann.put(
        "/api/v1/models/" + namespace + "/base", TestObjects.manifest(Map.of("w", "not stored")));
    String model = ann.get("/api/v1/models/" + namespace + "/base").text("/revision");
    String needsGpu = post(training("1.0.0", Map.of("cuda", true)));
    String needsMemory = post(training("2.0.0", Map.of("memoryBytes", 8L << 30)));
    String needsModel = post(training("3.0.0", Map.of("model", namespace + "/base")));

    assertThat(lease(worker, trainer("small")).at("/leases")).isEmpty();
    assertThat(lease(worker, with(trainer("w"), "types", List.of("export"))).at("/leases"))
        .isEmpty();
    assertThat(ids(lease(worker, with(trainer("gpu"), "cuda", true)).at("/leases")))
        .containsExactly(needsGpu);
    assertThat(ids(lease(worker, with(trainer("large"), "memoryBytes", 8L << 30)).at("/leases")))
        .containsExactly(needsMemory);
    JsonNode modelled =
        lease(worker, with(trainer("model"), "models", List.of(model))).at("/leases");
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
  void verificationsGoToApprovedKeysAndOfTheSameBytesOneToEach() throws Exception {
    Verifications verifications = new Verifications(worker);
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    Set<String> both =
        Set.of(
            post(verification("mood", "1.0.0", "scalar")),
            post(verification("mood", "latest", "scalar")));
    String vector = post(verification("mood", "1.0.0", "vector"));
    Map<String, Object> request = with(verifications.request("w1"), "max", 10);

    Map<String, Object> unknown = with(request, "key", TestObjects.digest("no key"));
    assertThat(lease(worker, unknown).at("/leases")).isEmpty();
    JsonNode scalar = lease(worker, with(request, "backends", List.of("scalar"))).at("/leases");
    assertThat(scalar).hasSize(1);
    assertThat(both).contains(ids(scalar).getFirst());
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
  void ofManyWhoTakeAtOnceEveryJobHasOneTaker() throws Exception {
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
        Map<String, Object> request = with(trainer("w" + i), "max", 1 + i % 4);
        tasks.add(
            () -> {
              List<JsonNode> own = new ArrayList<>();
              for (JsonNode leases = lease(worker, request).at("/leases");
                  !leases.isEmpty();
                  leases = lease(worker, request).at("/leases")) {
                leases.forEach(own::add);
              }
              return own;
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
  void whoWaitsIsGivenTheJobThatComes() throws Exception {
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      Future<JsonNode> waiting =
          executor.submit(() -> lease(worker, with(trainer("w"), "waitSeconds", 30)));
      awaitRequest("POST"); // it waits, or is about to: the answer is the same
      String id = submit("1.0.0");

      assertThat(ids(waiting.get().at("/leases"))).containsExactly(id);
    }
    assertThat(worker.post(JOBS + "/lease", with(trainer("w"), "max", 101)).refusal())
        .isEqualTo("422 invalid");
    assertThat(worker.post(JOBS + "/lease", with(trainer("w"), "waitSeconds", 31)).refusal())
        .isEqualTo("422 invalid");
  }

  /** Whose connection has ended waits no more: the job goes to another, as if it were the first. */
  @Test
  void whoHasGoneIsGivenNoJob() throws Exception {
    URI server = URI.create(worker.server());
    byte[] body = JsonMapper.shared().writeValueAsBytes(with(trainer("gone"), "waitSeconds", 30));
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

    JsonNode lease = lease(worker, with(trainer("here"), "waitSeconds", 15)).at("/leases/0");

    assertThat(lease.at("/job/id").asString()).isEqualTo(id);
    assertThat(lease.at("/job/attempts").asInt()).isEqualTo(1);
  }

  // ---- Holding, and losing

  @Test
  void whatALateWorkerSendsIsRefused() throws Exception {
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
    Answer done = put(id, "result", fence, file);
    assertThat(done.text("/state")).isEqualTo("succeeded");
    assertThat(done.text("/worker")).isEqualTo("next");
    assertThat(done.json().at("/attempts").asInt()).isEqualTo(2);
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
  void failureIsTriedAgainUntilThereIsNoAttemptLeft() throws Exception {
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

    Answer again = ann.post(JOBS + "/" + id + "/retry", Map.of());
    assertThat(again.text("/state")).isEqualTo("queued");
    assertThat(again.json().at("/attempts").asInt()).isZero();
    Answer poison = fail(id, takeAs("w").at("/fence").asLong(), "no such key: x", false);
    assertThat(poison.text("/state")).isEqualTo("failed");
    assertThat(ann.post(JOBS + "/" + id + "/cancel", "").refusal()).isEqualTo("409 ended");
  }

  @Test
  void failedJobWaitsBeforeItIsTriedAgainAndLongerEachTime() throws Exception {
    try (TestRegistry slow = TestRegistry.start("nola.jobs.backoff=100s")) {
      TestClient own = slow.admin();
      String name = own.namespace();
      own.publish(name + "/mood@1.0.0", Samples.file(1));
      Map<String, Object> export =
          Map.of("type", "export", "export", Map.of("adapter", name + "/mood", "version", "1.0.0"));
      String id = own.post(JOBS, export).text("/id");
      Map<String, Object> request = with(trainer("w"), "types", List.of("export"));
      for (int seconds : List.of(100, 200)) {
        long fence = lease(own, request).at("/leases/0/fence").asLong();
        Instant before = Instant.now();
        Answer failed = own.post(JOBS + "/" + id + "/failure", failure(fence, "no", true));
        assertThat(Instant.parse(failed.text("/notBefore")))
            .isBetween(before.plusSeconds(seconds - 5), Instant.now().plusSeconds(seconds + 5));
        assertThat(lease(own, request).at("/leases")).isEmpty();
        slow.database().execute("update job set not_before = now()");
      }
    }
  }

  @Test
  void workersThatAreLostEndAJobAfterItsAttempts() throws Exception {
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

  // ---- Cancelling

  @Test
  void waitingJobIsCancelledAtOnceAndCanBeTriedAgain() throws Exception {
    String id = submit("1.0.0");

    Answer cancelled = ann.post(JOBS + "/" + id + "/cancel", "");

    assertThat(cancelled.text("/state")).isEqualTo("cancelled");
    assertThat(cancelled.text("/reason")).isEqualTo("cancelled by ann");
    assertThat(lease(worker, trainer("w")).at("/leases")).isEmpty();
    assertThat(ann.post(JOBS + "/" + id + "/cancel", "").status()).isEqualTo(200);
    assertThat(ann.post(JOBS + "/" + id + "/retry", "").text("/state")).isEqualTo("queued");
    assertThat(ann.post(JOBS + "/" + id + "/retry", "").refusal()).isEqualTo("409 not-failed");
    assertThat(takeAs("w").at("/job/id").asString()).isEqualTo(id);
  }

  @Test
  void resultOfACancelledJobIsRefusedAndLeavesNoVersion() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();

    Answer cancelled = ann.post(JOBS + "/" + id + "/cancel", "");

    assertThat(cancelled.text("/state")).isEqualTo("running");
    assertThat(cancelled.json().at("/cancelRequested").asBoolean()).isTrue();
    assertThat(heartbeat(id, fence).json().at("/cancel").asBoolean()).isTrue();
    assertThat(put(id, "result", fence, Samples.file(1)).refusal()).isEqualTo("409 cancelled");
    assertThat(put(id, "checkpoint", fence, bytes("x")).refusal()).isEqualTo("409 cancelled");
    Answer stopped = fail(id, fence, "stopped", true);
    assertThat(stopped.text("/state")).isEqualTo("cancelled");
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood").status()).isEqualTo(404);
  }

  @Test
  void resultOfAJobThatIsCancelledWhileItComesIsRefused() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    byte[] file = Samples.file(1);
    try (Socket socket = new Socket("127.0.0.1", registry.port())) {
      socket.setSoTimeout(60_000);
      OutputStream out = socket.getOutputStream();
      String head =
          """
          PUT %s/%s/result?fence=%d HTTP/1.1
          Host: localhost
          Connection: close
          Authorization: Bearer %s
          Content-Type: application/octet-stream
          Content-Length: %d

          """
              .formatted(JOBS, id, fence, worker.token(), file.length);
      out.write(head.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII));
      out.write(file, 0, 1);
      out.flush();
      await(() -> !isEmpty(registry.data().resolve("blobs/tmp"))); // the job was looked at
      ann.post(JOBS + "/" + id + "/cancel", "");
      out.write(file, 1, file.length - 1);
      out.flush();

      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 409")
          .contains("urn:nola:problem:cancelled");
    }
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood").status()).isEqualTo(404);
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    }
  }

  @Test
  void cancelledJobOfALostWorkerIsCancelled() throws Exception {
    String id = submit("1.0.0");
    takeAs("w");
    ann.post(JOBS + "/" + id + "/cancel", "");

    loseLeases(id);

    assertThat(ann.get(JOBS + "/" + id).text("/state")).isEqualTo("cancelled");
  }

  // ---- Publishing

  @Test
  void resultThatCannotBePublishedIsKeptAndPublishedLater() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1)); // someone was faster
    byte[] file = Samples.file(2);

    Answer refused = put(id, "result", fence, file);

    assertThat(refused.status()).isEqualTo(200);
    assertThat(refused.text("/state")).isEqualTo("failed");
    assertThat(refused.text("/reason"))
        .startsWith("cannot be published as " + namespace + "/mood@1.0.0: ")
        .contains("exists with digest");
    assertThat(refused.text("/result/digest")).isEqualTo(Sha256.hash(file).toString());
    assertThat(ann.get(JOBS + "/" + id + "/result").bytes()).isEqualTo(file);

    assertThat(ann.post(JOBS + "/" + id + "/retry", Map.of()).refusal())
        .isEqualTo("409 version-exists");
    assertThat(ann.get(JOBS + "/" + id).text("/state")).isEqualTo("failed");
    assertThat(ann.post(JOBS + "/" + id + "/retry", Map.of("version", "two")).refusal())
        .isEqualTo("422 invalid");
    Answer retried = ann.post(JOBS + "/" + id + "/retry", Map.of("version", "1.0.1"));

    assertThat(retried.text("/state")).isEqualTo("succeeded");
    assertThat(retried.text("/request/train/version")).isEqualTo("1.0.1");
    assertThat(retried.json().at("/attempts").asInt()).isEqualTo(1);
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood/versions/1.0.1/file").bytes())
        .isEqualTo(file);
    assertThat(ann.get(JOBS + "/" + id + "/result").status()).isEqualTo(404);
  }

  @Test
  void publishingIsInTheNameOfWhoeverAskedWithTheRightsOfThatMoment() throws Exception {
    TestClient bob = admin.account("bob", "publish");
    String member = "/api/v1/namespaces/" + namespace + "/members/bob";
    ann.put(member, Map.of("role", "member"));
    String id = bob.post(JOBS, training("1.0.0", Map.of())).text("/id");
    long fence = takeAs("w").at("/fence").asLong();
    ann.delete(member);

    Answer refused = put(id, "result", fence, Samples.file(1));

    assertThat(refused.text("/state")).isEqualTo("failed");
    assertThat(refused.text("/reason")).contains("not found");
    // A member publishes it, in its own name.
    assertThat(ann.post(JOBS + "/" + id + "/retry", "").text("/state")).isEqualTo("succeeded");
    assertThat(
            ann.get("/api/v1/adapters/" + namespace + "/mood/versions/1.0.0").text("/publishedBy"))
        .isEqualTo("ann");
  }

  @Test
  void tokenThatWasRevokedPublishesNothing() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    admin.delete("/api/v1/tokens/" + ann.get("/api/v1/tokens/current").text("/id"));

    Answer refused = put(id, "result", fence, Samples.file(1));

    assertThat(refused.text("/state")).isEqualTo("failed");
    assertThat(refused.text("/reason")).contains("token revoked");
  }

  @Test
  void quotaAndDamageAreReasonsToo() throws Exception {
    int size = Samples.file(1).length;
    try (TestRegistry small =
        TestRegistry.start("nola.catalog.namespace-quota=" + (size + 10) + "B")) {
      TestClient own = small.admin();
      String name = own.namespace();
      TestObjects.putDataset(own, name + "/d", Map.of("a", "a"));
      String[] ids = new String[2];
      long[] fences = new long[2];
      for (int i = 0; i < 2; i++) {
        Map<String, Object> train =
            Map.of(
                "adapter",
                name + "/mood",
                "version",
                i + ".0.0",
                "dataset",
                name + "/d",
                "job",
                Map.of());
        ids[i] = own.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
        fences[i] = lease(own, trainer("w")).at("/leases/0/fence").asLong();
      }
      byte[] damaged = Samples.file(3);
      damaged[damaged.length / 2] ^= 1;

      assertThat(put(own, ids[0], "result", fences[0], damaged).text("/reason"))
          .contains("checksum");
      own.publish(name + "/other@1.0.0", Samples.file(1));
      Answer full = put(own, ids[1], "result", fences[1], Samples.file(2));
      assertThat(full.text("/state")).isEqualTo("failed");
      assertThat(full.text("/reason")).contains("the quota of namespace").contains("leaves 9");
      // Room is made, and nobody trains again.
      own.delete("/api/v1/adapters/" + name + "/other/versions/1.0.0");
      assertThat(own.post(JOBS + "/" + ids[1] + "/retry", "").text("/state"))
          .isEqualTo("succeeded");
      assertThat(own.get("/api/v1/adapters/" + name + "/mood/versions/1.0.0/file").bytes())
          .isEqualTo(Samples.file(2));
    }
  }

  @Test
  void exportedArchiveIsKept() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    Map<String, Object> export =
        Map.of(
            "type",
            "export",
            "export",
            Map.of("adapter", namespace + "/mood", "version", "^1", "type", "f16"));
    String id = ann.post(JOBS, export).text("/id");
    JsonNode lease = lease(worker, with(trainer("w"), "types", List.of("export"))).at("/leases/0");
    assertThat(lease.at("/digest").asString()).isEqualTo(Sha256.hash(Samples.file(1)).toString());
    assertThat(lease.at("/job/request/export/version").asString()).isEqualTo("1.0.0");
    assertThat(ann.get(JOBS + "/" + id + "/result").refusal()).isEqualTo("404 not-found");

    Answer done = put(id, "result", lease.at("/fence").asLong(), bytes("an archive"));

    assertThat(done.text("/state")).isEqualTo("succeeded");
    assertThat(done.json().at("/result/size").asInt()).isEqualTo(10);
    assertThat(ann.get(JOBS + "/" + id + "/result").bytes()).isEqualTo(bytes("an archive"));
  }

  @Test
  void collectionSparesCheckpointsAndKeptResults() throws Exception {
    String running = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    put(running, "checkpoint", fence, bytes("old checkpoint " + running));
    put(running, "checkpoint", fence, bytes("checkpoint " + running));
    String unpublished = submit("2.0.0");
    long other = takeAs("w").at("/fence").asLong();
    ann.publish(namespace + "/mood@2.0.0", Samples.file(1));
    byte[] file = Samples.file(Instant.now().getNano());
    put(unpublished, "result", other, file);
    for (Path blob : registry.blobFiles()) {
      Files.setLastModifiedTime(blob, FileTime.from(Instant.now().minus(Duration.ofHours(25))));
    }

    admin.post("/api/v1/admin/collect-garbage", "");

    assertThat(checkpoint(running, fence).bytes()).isEqualTo(bytes("checkpoint " + running));
    assertThat(ann.get(JOBS + "/" + unpublished + "/result").bytes()).isEqualTo(file);
    String superseded =
        Sha256.hash(bytes("old checkpoint " + running)).toString().substring("sha256:".length());
    assertThat(registry.blobFiles())
        .noneMatch(blob -> blob.getFileName().toString().equals(superseded));
  }

  // ---- Following

  @Test
  void eventsAreReplayedFollowedAndResumedUntilTheEnd() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    report(id, fence, List.of("begun\nwith two lines"), List.of(), Map.of("done", 1, "total", 4));
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      CountDownLatch begun = new CountDownLatch(1);
      Future<List<Event>> following = executor.submit(() -> follow(id, null, begun));
      assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
      report(
          id,
          fence,
          List.of(),
          List.of(Map.of("name", "loss", "step", 2, "value", 0.5)),
          Map.of("done", 2, "total", 4, "loss", 0.5));
      put(id, "result", fence, Samples.file(1));

      List<Event> events = following.get();

      assertThat(events)
          .extracting(Event::kind)
          .containsExactly("state", "state", "log", "progress", "metric", "progress", "state");
      assertThat(events).extracting(Event::id).isSorted().doesNotHaveDuplicates();
      assertThat(events.get(1).data().at("/state").asString()).isEqualTo("running");
      assertThat(events.get(2).data().at("/message").asString()).isEqualTo("begun\nwith two lines");
      assertThat(events.get(4).data().at("/value").asDouble()).isEqualTo(0.5);
      assertThat(events.get(5).data().at("/progress/done").asInt()).isEqualTo(2);
      assertThat(events.getLast().data().at("/state").asString()).isEqualTo("succeeded");
      assertThat(follow(id, events.get(3).id())).isEqualTo(events.subList(4, 7));
      assertThat(follow(id, events.getLast().id())).isEmpty();
    }
    assertThat(ann.get(JOBS + "/" + id).json().at("/progress/loss").asDouble()).isEqualTo(0.5);
    assertThat(admin.account("bob", "publish").get(JOBS + "/" + id + "/events").refusal())
        .isEqualTo("404 not-found");
  }

  @Test
  void heartbeatIsLimited() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();

    assertThat(
            worker
                .post(
                    JOBS + "/" + id + "/heartbeat",
                    Map.of("fence", fence, "log", List.of("x".repeat(2001)), "metrics", List.of()))
                .refusal())
        .isEqualTo("422 invalid");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 201; i++) {
      lines.add("line");
    }
    assertThat(
            worker
                .post(
                    JOBS + "/" + id + "/heartbeat",
                    Map.of("fence", fence, "log", lines, "metrics", List.of()))
                .refusal())
        .isEqualTo("422 invalid");
  }

  // ---- The server's end

  @Test
  void jobsAndLeasesOutliveTheServer() throws Exception {
    TestDatabase database = TestDatabase.create();
    Path data = Files.createTempDirectory("nola-registry");
    TestRegistry first = TestRegistry.start(database, data);
    TestClient own = first.admin();
    String name = own.namespace();
    TestObjects.putDataset(own, name + "/d", Map.of("a", "a"));
    Map<String, Object> train =
        Map.of(
            "adapter", name + "/mood", "version", "1.0.0", "dataset", name + "/d", "job", Map.of());
    String held = own.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
    long fence = lease(own, trainer("w")).at("/leases/0/fence").asLong();
    put(own, held, "checkpoint", fence, bytes("step 1"));
    first.closeKeepingData();
    // It was away for longer than a lease: that is not the worker's fault.
    leaveAlone(database, "1 minute");
    try (TestRegistry second = TestRegistry.start(database, data)) {
      TestClient again = second.admin();
      awaitRounds(database, 2);
      assertThat(again.get(JOBS + "/" + held).text("/state")).isEqualTo("running");
      assertThat(
              again
                  .post(
                      JOBS + "/" + held + "/heartbeat",
                      Map.of("fence", fence, "log", List.of(), "metrics", List.of()))
                  .status())
          .isEqualTo(200);
      assertThat(put(again, held, "result", fence, Samples.file(1)).text("/state"))
          .isEqualTo("succeeded");
    }
  }

  /** Also if a lease is shorter than the time that a server takes to start. */
  @Test
  void shortLeaseOutlivesTheServer() throws Exception {
    TestDatabase database = TestDatabase.create();
    Path data = Files.createTempDirectory("nola-registry");
    String setting = "nola.jobs.lease=6s";
    TestRegistry first = TestRegistry.start(database, data, setting);
    TestClient own = first.admin();
    String name = own.namespace();
    TestObjects.putDataset(own, name + "/d", Map.of("a", "a"));
    Map<String, Object> train =
        Map.of(
            "adapter", name + "/mood", "version", "1.0.0", "dataset", name + "/d", "job", Map.of());
    String held = own.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
    long fence = lease(own, trainer("w")).at("/leases/0/fence").asLong();
    first.closeKeepingData();
    leaveAlone(database, "4 seconds");
    try (TestRegistry second = TestRegistry.start(database, data, setting)) {
      awaitRounds(database, 2);
      assertThat(
              second
                  .admin()
                  .post(
                      JOBS + "/" + held + "/heartbeat",
                      Map.of("fence", fence, "log", List.of(), "metrics", List.of()))
                  .status())
          .isEqualTo(200);
    }
  }

  @Test
  void leaseOfASilentWorkerExpiresByItself() throws Exception {
    try (TestRegistry quick = TestRegistry.start("nola.jobs.lease=1s")) {
      TestClient own = quick.admin();
      String name = own.namespace();
      TestObjects.putDataset(own, name + "/d", Map.of("a", "a"));
      Map<String, Object> train =
          Map.of(
              "adapter",
              name + "/mood",
              "version",
              "1.0.0",
              "dataset",
              name + "/d",
              "job",
              Map.of());
      String id = own.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
      long old = lease(own, trainer("frozen")).at("/leases/0/fence").asLong();

      JsonNode next = lease(own, with(trainer("next"), "waitSeconds", 30)).at("/leases/0");

      assertThat(next.at("/job/id").asString()).isEqualTo(id);
      assertThat(next.at("/fence").asLong()).isGreaterThan(old);
      assertThat(put(own, id, "result", old, Samples.file(1)).refusal())
          .isEqualTo("409 lease-lost");
    }
  }

  // ---- What the tests do again and again

  private record Event(long id, String kind, JsonNode data) {}

  private List<Event> follow(String id, @Nullable Long last) throws Exception {
    return follow(id, last, new CountDownLatch(1));
  }

  /**
   * @param begun is counted down when the stream has begun
   */
  private List<Event> follow(String id, @Nullable Long last, CountDownLatch begun)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(ann.server() + JOBS + "/" + id + "/events"))
            .timeout(Duration.ofSeconds(60))
            .header("Accept", "text/event-stream")
            .header("Authorization", "Bearer " + ann.token());
    if (last != null) {
      request.header("Last-Event-ID", last.toString());
    }
    List<Event> events = new ArrayList<>();
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<java.io.InputStream> response =
          client.send(request.build(), BodyHandlers.ofInputStream());
      begun.countDown();
      assertThat(response.headers().firstValue("Content-Type").orElse(""))
          .startsWith("text/event-stream");
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
        Map<String, String> fields = new HashMap<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          int colon = line.indexOf(':');
          if (colon > 0) {
            fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
          } else if (line.isEmpty() && fields.containsKey("data")) {
            events.add(
                new Event(
                    Long.parseLong(fields.getOrDefault("id", "")),
                    fields.getOrDefault("event", ""),
                    JsonMapper.shared().readTree(fields.get("data"))));
            fields.clear();
          }
        }
      }
    }
    return events;
  }

  private Map<String, Object> training(String version, Map<String, Object> changes) {
    return Map.of("type", "train", "train", train(version, changes));
  }

  private Map<String, Object> train(String version, Map<String, Object> changes) {
    Map<String, Object> train = new HashMap<>();
    train.put("adapter", namespace + "/mood");
    train.put("version", version);
    train.put("dataset", namespace + "/glosses");
    train.put("job", Map.of("data", Map.of("train", "train.tsv", "validation", "sub/valid.tsv")));
    train.putAll(changes);
    return train;
  }

  private Map<String, Object> verification(String adapter, String version, String backend) {
    return Map.of(
        "type",
        "verify",
        "verify",
        Map.of("adapter", namespace + "/" + adapter, "version", version, "backend", backend));
  }

  private Answer submitJob(Map<String, Object> job) throws Exception {
    return ann.post(JOBS, training("1.0.0", Map.of("job", job)));
  }

  private String submit(String version) throws Exception {
    return post(training(version, Map.of()));
  }

  private String post(Map<String, Object> request) throws Exception {
    Answer answer = ann.post(JOBS, request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(201);
    return answer.text("/id");
  }

  /** A worker for trainings. */
  private static Map<String, Object> trainer(String name) {
    Map<String, Object> request = new HashMap<>();
    request.put("worker", name);
    request.put("key", "");
    request.put("types", List.of("train"));
    request.put("backends", List.of());
    request.put("cuda", false);
    request.put("memoryBytes", 4L << 30);
    request.put("models", List.of());
    request.put("max", 1);
    request.put("waitSeconds", 0);
    return request;
  }

  static Map<String, Object> with(Map<String, Object> request, String key, Object value) {
    Map<String, Object> changed = new HashMap<>(request);
    changed.put(key, value);
    return changed;
  }

  private static JsonNode lease(TestClient client, Map<String, Object> request) throws Exception {
    Answer answer = client.post(JOBS + "/lease", request);
    assertThat(answer.status()).as(answer.text("/detail")).isEqualTo(200);
    return answer.json();
  }

  private static JsonNode takeAs(String name) throws Exception {
    JsonNode leases = lease(worker, trainer(name)).at("/leases");
    assertThat(leases).hasSize(1);
    return leases.get(0);
  }

  private static List<String> ids(JsonNode leases) {
    List<String> ids = new ArrayList<>();
    leases.forEach(lease -> ids.add(lease.at("/job/id").asString()));
    return ids;
  }

  /** As if its worker had been silent for long; waits until the server has noticed. */
  private static void loseLeases(String id) throws Exception {
    registry
        .database()
        .execute("update job set expires_at = now() - interval '1 hour' where id = '" + id + "'");
    await(() -> !admin.get(JOBS + "/" + id).text("/state").equals("running"));
  }

  /** As if no server had run for this long, and one for long before that; none may run now. */
  private static void leaveAlone(TestDatabase database, String time) throws SQLException {
    database.execute("update job set expires_at = now() - interval '1 second'");
    database.execute(
        """
        update scheduled_tasks set task_data = convert_to(
          jsonb_build_object('last', now() - interval '%s', 'holdUntil', now() - interval '%s')::text,
          'UTF8')
        where task_name = 'expire-leases'"""
            .formatted(time, time));
  }

  /** Waits until the leases that had to were ended so often. */
  private static void awaitRounds(TestDatabase database, int rounds) throws Exception {
    String last =
        "select coalesce(max(extract(epoch from last_success) * 1000000), 0)::bigint"
            + " from scheduled_tasks where task_name = 'expire-leases'";
    long seen = database.count(last);
    for (int round = 0; round < rounds; round++) {
      long before = seen;
      await(() -> database.count(last) != before);
      seen = database.count(last);
    }
  }

  /** Waits until the server has a request that it has not answered. */
  private static void awaitRequest(String method) throws Exception {
    Pattern active =
        Pattern.compile(
            "(?m)^http_server_requests_active_seconds_g?count\\{[^}]*method=\""
                + method
                + "\".* [1-9]");
    await(
        () ->
            active
                .matcher(
                    new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8))
                .find());
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(90).toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(50);
    }
  }

  private static Answer heartbeat(String id, long fence) throws Exception {
    return report(id, fence, List.of(), List.of(), null);
  }

  private static Answer report(
      String id,
      long fence,
      List<String> log,
      List<Object> metrics,
      @Nullable Map<String, Object> progress)
      throws Exception {
    Map<String, @Nullable Object> body = new HashMap<>();
    body.put("fence", fence);
    body.put("log", log);
    body.put("metrics", metrics);
    body.put("progress", progress);
    return worker.post(JOBS + "/" + id + "/heartbeat", body);
  }

  private static Answer put(String id, String what, long fence, byte[] bytes) throws Exception {
    return put(worker, id, what, fence, bytes);
  }

  private static Answer put(TestClient client, String id, String what, long fence, byte[] bytes)
      throws Exception {
    return client.send(
        "PUT",
        JOBS + "/" + id + "/" + what + "?fence=" + fence,
        BodyPublishers.ofByteArray(bytes),
        "Content-Type",
        "application/octet-stream");
  }

  private static Answer checkpoint(String id, long fence) throws Exception {
    return worker.get(JOBS + "/" + id + "/checkpoint?fence=" + fence);
  }

  private static Answer fail(String id, long fence, String reason, boolean retryable)
      throws Exception {
    return worker.post(JOBS + "/" + id + "/failure", failure(fence, reason, retryable));
  }

  private static Map<String, Object> failure(long fence, String reason, boolean retryable) {
    return Map.of("fence", fence, "reason", reason, "retryable", retryable);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
