package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** A queued job says why no worker has taken it. */
class WaitingReasonsTest extends JobTest {
  /** A worker that exists but takes nothing, because it asks for no type of job. */
  private static void offer(String name, Map<String, Object> abilities) throws Exception {
    Map<String, Object> request = trainer(name);
    request.put("types", List.of());
    request.putAll(abilities);
    lease(worker, request);
  }

  private JsonNode waiting(String id) throws Exception {
    return ann.get(JOBS + "/" + id).json().at("/waiting");
  }

  private void assertWaits(String id, String kind, String message, String... workers)
      throws Exception {
    JsonNode waiting = waiting(id);
    assertThat(waiting).as(waiting.toString()).hasSize(1);
    assertThat(waiting.at("/0/kind").asString()).isEqualTo(kind);
    assertThat(waiting.at("/0/message").asString()).isEqualTo(message);
    assertThat(waiting.at("/0/workers").valueStream().map(JsonNode::asString))
        .containsExactly(workers);
  }

  private String model(String content) throws Exception {
    String path = "/api/v1/models/" + namespace + "/base";
    ann.put(path, TestObjects.manifest(Map.of("w", content)));
    return ann.get(path).text("/revision");
  }

  @Test
  void noWorker_isNamed() throws Exception {
    String id = submit("1.0.0");
    assertWaits(
        id,
        "no-worker",
        "no worker is running: none has asked for jobs within 60 seconds and was not stopped since; start one with nola worker");
    assertThat(ann.get(JOBS + "?namespace=" + namespace).text("/items/0/waiting/0/kind"))
        .isEqualTo("no-worker");
    ann.post(JOBS + "/" + id + "/cancel", "");
    assertThat(waiting(id).isNull()).as("of a job that has ended").isTrue();
  }

  @Test
  void missingModel_isNamedWithTheRevisionThatEachWorkerHolds() throws Exception {
    String old = model("old weights");
    String wanted = model("new weights");
    String id = post(training("1.0.0", Map.of("model", namespace + "/base")));
    offer("a", Map.of("models", List.of(old)));
    offer("b", Map.of("models", List.of(TestObjects.digest("another model"))));
    assertWaits(
        id,
        "model",
        "no worker has model %s/base@%s: a holds revision %s, b holds no revision of it; upload its files with nola model push, or start a worker that has them in --models"
            .formatted(namespace, wanted, old),
        "a",
        "b");

    offer("b", Map.of("models", List.of(wanted)));
    assertThat(waiting(id)).as("a worker is about to take it").isEmpty();
  }

  @Test
  void memoryAndGpuThatNoWorkerOffers_areNamed() throws Exception {
    String large = post(training("1.0.0", Map.of("memoryBytes", 8_000_000_000L)));
    String onGpu = post(training("2.0.0", Map.of("cuda", true)));
    offer("a", Map.of("memoryBytes", 4_500_000_000L));
    assertWaits(
        large,
        "memory",
        "the job may use 8,000 MB of memory; a offers 4,500 MB; submit it with less, or start a worker with more --memory",
        "a");
    assertWaits(onGpu, "cuda", "no worker has a GPU: a", "a");
  }

  @Test
  void eachWorkerCountsUnderTheFirstConditionThatItFails() throws Exception {
    String id = post(training("1.0.0", Map.of("cuda", true, "memoryBytes", 8_000_000_000L)));
    offer("small", Map.of("cuda", true, "memoryBytes", 1));
    offer("plain", Map.of("memoryBytes", 1));
    JsonNode waiting = waiting(id);
    assertThat(waiting).hasSize(2);
    assertThat(waiting.at("/0/kind").asString()).isEqualTo("cuda");
    assertThat(waiting.at("/0/workers/0").asString()).isEqualTo("plain");
    assertThat(waiting.at("/1/kind").asString()).isEqualTo("memory");
    assertThat(waiting.at("/1/workers/0").asString()).isEqualTo("small");
  }

  @Test
  void tokenOfAnotherNamespace_isNamed() throws Exception {
    String id = submit("1.0.0");
    TestClient narrow =
        admin.token(
            Map.of(
                "account", "narrow", "scopes", List.of("worker"), "namespaces", List.of("other")));
    lease(narrow, trainer("n"));
    assertWaits(
        id,
        "namespace",
        "the tokens of these workers are not valid in namespace " + namespace + ": n",
        "n");
  }

  @Test
  void backendAndKeyOfAVerification_areNamed() throws Exception {
    ann.publish(namespace + "/mood@1.0.0", Samples.file(1));
    String id = post(verification("mood", "1.0.0", "torch"));
    TestWorker verifier = TestWorker.registered(admin);
    verifier.leases(List.of("scalar", "vector"));
    assertWaits(
        id,
        "backend",
        "no worker has backend torch: %s has scalar, vector".formatted(verifier.name()),
        verifier.name());

    verifier.leases(TestWorker.ALL);
    assertWaits(
        id,
        "key",
        "no worker may verify it: %s has key %s, which is pending"
            .formatted(verifier.name(), verifier.fingerprint()),
        verifier.name());

    verifier.approve(admin, Map.of());
    assertThat(waiting(id)).isEmpty();
    TestWorker.Task task = verifier.leaseOne("torch");
    assertThat(task.job().toString()).isEqualTo(id);
    String copy = post(verification("mood", "1.0.0", "torch"));
    assertWaits(
        copy,
        "key",
        "no worker may verify it: %s has verified it with the same key".formatted(verifier.name()),
        verifier.name());
  }

  @Test
  void busyWorkers_areNamed() throws Exception {
    submit("1.0.0");
    takeAs("w");
    String id = submit("2.0.0");
    assertWaits(id, "busy", "the workers that can run it are running other jobs: w", "w");
  }

  @Test
  void pauseAfterAFailure_isNamed() throws Exception {
    String id = submit("1.0.0");
    registry
        .database()
        .execute("update job set not_before = '2999-01-01T00:00:00Z' where id = '" + id + "'");
    assertWaits(id, "backoff", "the next attempt is not before 2999-01-01T00:00:00Z");
  }

  @Test
  void eventsSayWhyTheJobWaits() throws Exception {
    String id = submit("1.0.0");
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      CountDownLatch told = new CountDownLatch(1);
      Future<List<Event>> following =
          executor.submit(
              () ->
                  follow(
                      id,
                      null,
                      event -> {
                        if (event.kind().equals("waiting")) {
                          told.countDown();
                        }
                      }));
      assertThat(told.await(60, TimeUnit.SECONDS)).isTrue();
      long fence = takeAs("w").at("/fence").asLong();
      fail(id, fence, "broken", false);

      List<Event> events = following.get();

      assertThat(events)
          .extracting(Event::kind)
          .containsExactly("state", "waiting", "state", "state");
      Event waiting = events.get(1);
      assertThat(waiting.id()).as("id of the event before it").isEqualTo(events.get(0).id());
      assertThat(waiting.data().at("/message").asString()).startsWith("no worker is running");
      assertThat(waiting.data().at("/waiting/0/kind").asString()).isEqualTo("no-worker");
      assertThat(follow(id, null)).extracting(Event::kind).doesNotContain("waiting");
    }
  }
}
