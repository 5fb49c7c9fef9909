package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The list of workers, and names that two of them want. */
class WorkerListTest extends JobTest {
  private static final String WORKERS = "/api/v1/workers";
  private static final String LEASE = JOBS + "/lease";

  private static Map<String, Object> instance(String name, String instance) {
    return TestObjects.with(trainer(name), "instance", instance);
  }

  /** As if all workers had been silent for longer than a worker is. */
  private static void silence() throws Exception {
    registry
        .database()
        .execute("update worker set last_asked_at = last_asked_at - interval '2 minutes'");
  }

  @Test
  void workerIsListedWithWhatItOffered() throws Exception {
    String id = submit("1.0.0");
    Map<String, Object> request = trainer("w");
    request.put("backends", List.of("scalar", "torch"));
    request.put("cuda", true);
    lease(worker, request);

    JsonNode listed = ann.get(WORKERS).json().at("/items/0");

    assertThat(listed.at("/name").asString()).isEqualTo("w");
    assertThat(listed.at("/account").asString()).isEqualTo("worker");
    assertThat(listed.at("/active").asBoolean()).isTrue();
    assertThat(listed.at("/backends").toString()).isEqualTo("[\"scalar\",\"torch\"]");
    assertThat(listed.at("/cuda").asBoolean()).isTrue();
    assertThat(listed.at("/memoryBytes").asLong()).isEqualTo(4L << 30);
    assertThat(listed.at("/jobs/0").asString()).isEqualTo(id);
    assertThat(listed.at("/lastAskedAt").asString()).isNotEmpty();
  }

  @Test
  void modelsAndJobsAreShownToThoseWhoMaySeeThem() throws Exception {
    ann.put(
        "/api/v1/models/" + namespace + "/base",
        TestObjects.manifest(Map.of("w", "of " + namespace)));
    String revision = ann.get("/api/v1/models/" + namespace + "/base").text("/revision");
    String unregistered = TestObjects.digest("unregistered");
    submit("1.0.0");
    lease(
        worker,
        TestObjects.with(trainer("w"), "models", List.of(revision, unregistered, "no digest")));
    TestClient bob = admin.account("bob", "publish");

    JsonNode forMember = ann.get(WORKERS).json().at("/items/0");
    JsonNode forStranger = bob.get(WORKERS).json().at("/items/0");
    JsonNode forAdmin = admin.get(WORKERS).json().at("/items/0");

    assertThat(forMember.at("/models")).hasSize(1);
    assertThat(forMember.at("/models/0/name").asString()).isEqualTo(namespace + "/base");
    assertThat(forMember.at("/models/0/revision").asString()).isEqualTo(revision);
    assertThat(forMember.at("/jobs")).hasSize(1);
    assertThat(forStranger.at("/models")).isEmpty();
    assertThat(forStranger.at("/jobs")).isEmpty();
    assertThat(forAdmin.at("/models")).hasSize(2);
    assertThat(forAdmin.at("/models/1/name").isNull()).isTrue();
    assertThat(forAdmin.at("/models/1/revision").asString()).isEqualTo(unregistered);
    assertThat(forAdmin.at("/jobs")).hasSize(1);
  }

  @Test
  void workersAreListedInPages() throws Exception {
    for (String name : List.of("c", "a", "b")) {
      lease(worker, trainer(name));
    }
    List<String> names = new ArrayList<>();
    String cursor = "";
    do {
      JsonNode page =
          ann.get(WORKERS + "?limit=2" + (cursor.isEmpty() ? "" : "&cursor=" + cursor)).json();
      page.at("/items").forEach(item -> names.add(item.at("/name").asString()));
      cursor = page.at("/next").asString("");
    } while (!cursor.isEmpty());
    assertThat(names).containsExactly("a", "b", "c");
  }

  @Test
  void silentWorker_isListedAsEnded() throws Exception {
    lease(worker, trainer("w"));
    silence();
    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isFalse();
  }

  @Test
  void stoppedWorker_isListedAsEndedAtOnce_andItsNameIsFree() throws Exception {
    lease(worker, instance("w", "one"));
    String ended = WORKERS + "?worker=w&instance=";

    assertThat(worker.delete(ended + "two").status()).as("another instance").isEqualTo(204);
    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isTrue();
    assertThat(admin.account("other", "worker").delete(ended + "one").status()).isEqualTo(204);
    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isTrue();
    assertThat(worker.delete(ended + "one").status()).isEqualTo(204);

    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isFalse();
    Answer late = worker.post(LEASE, instance("w", "one"));
    assertThat(late.refusal()).as("a request sent before").isEqualTo("409 worker-ended");
    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isFalse();
    assertThat(worker.post(LEASE, instance("w", "two")).status()).isEqualTo(200);
    assertThat(ann.get(WORKERS).json().at("/items/0/active").asBoolean()).isTrue();
  }

  @Test
  void stateOfAWorkersKey_isListedAndTold() throws Exception {
    TestWorker verifier = TestWorker.registered(admin);
    assertThat(verifier.leases(TestWorker.ALL).at("/keyState").asString()).isEqualTo("pending");
    assertThat(ann.get(WORKERS).text("/items/0/keyState")).isEqualTo("pending");
    verifier.approve(admin, Map.of());
    assertThat(verifier.leases(List.of()).at("/keyState").asString()).isEqualTo("approved");
    verifier.revoke(admin);
    assertThat(verifier.leases(TestWorker.ALL).at("/keyState").asString()).isEqualTo("revoked");
    assertThat(ann.get(WORKERS).text("/items/0/keyState")).isEqualTo("revoked");

    worker.post(LEASE, TestObjects.with(trainer("thief"), "key", verifier.fingerprint()));
    assertThat(ann.get(WORKERS).json().at("/items/1").hasNonNull("keyState"))
        .as("a key of another account")
        .isFalse();
  }

  @Test
  void secondWorkerOfARunningName_isRefused() throws Exception {
    lease(worker, instance("w", "one"));

    Answer second = worker.post(LEASE, instance("w", "two"));

    assertThat(second.refusal()).isEqualTo("409 worker-name-in-use");
    assertThat(second.text("/detail"))
        .isEqualTo(
            "worker name in use: another worker of account worker is running as w; give this one another --name, or stop the other and wait 60 seconds");
    assertThat(worker.post(LEASE, trainer("w")).refusal())
        .as("a request without an instance")
        .isEqualTo("409 worker-name-in-use");
    assertThat(worker.post(LEASE, instance("v", "two")).status()).isEqualTo(200);
    assertThat(admin.account("other", "worker").post(LEASE, instance("w", "two")).status())
        .as("the same name of another account")
        .isEqualTo(200);
  }

  @Test
  void workerThatIsStartedAgain_takesItsNameOver() throws Exception {
    submit("1.0.0");
    assertThat(lease(worker, instance("w", "one")).at("/leases")).hasSize(1);
    assertThat(worker.post(LEASE, instance("w", "one")).status()).isEqualTo(200);
  }

  @Test
  void nameOfASilentWorker_isFreeUnlessItHoldsAJob() throws Exception {
    String id = submit("1.0.0");
    long fence = lease(worker, instance("w", "one")).at("/leases/0/fence").asLong();
    silence();
    assertThat(worker.post(LEASE, instance("w", "two")).refusal())
        .isEqualTo("409 worker-name-in-use");
    fail(id, fence, "broken", false);
    assertThat(worker.post(LEASE, instance("w", "two")).status()).isEqualTo(200);
    assertThat(worker.post(LEASE, instance("w", "one")).refusal())
        .as("the first one, back from its pause")
        .isEqualTo("409 worker-name-in-use");
  }

  @Test
  void invalidInstance_isRefused() throws Exception {
    assertThat(worker.post(LEASE, instance("w", "")).refusal()).isEqualTo("422 invalid");
    assertThat(worker.post(LEASE, instance("w", "x".repeat(101))).refusal())
        .isEqualTo("422 invalid");
  }
}
