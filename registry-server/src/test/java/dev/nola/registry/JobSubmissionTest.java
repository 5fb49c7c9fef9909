package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Submitting jobs: references, rules and who sees them. */
class JobSubmissionTest extends JobTest {
  @Test
  void trainingIsPinnedToRevisions() throws Exception {
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
        .contains("invalid data.train: absent.tsv; must be the path of a file in");
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
  void namesVersionsAndReferencesAreCheckedOnSubmission() throws Exception {
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
  void bodyWithoutARequiredMemberIsRefusedByItsName() throws Exception {
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
  void jobsAreListedForMembersOnly() throws Exception {
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
}
