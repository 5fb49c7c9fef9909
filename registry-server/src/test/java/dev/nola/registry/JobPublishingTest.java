package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Results of jobs: published, refused, kept and collected. */
class JobPublishingTest extends JobTest {
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
        .contains("exists with digest")
        .contains("nola job retry " + id, "--new-version", "nola job result");
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
  void resultIsPublishedWithTheCurrentRightsOfItsSubmitter() throws Exception {
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
  void revokedTokenPublishesNothing() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    admin.delete("/api/v1/tokens/" + ann.get("/api/v1/tokens/current").text("/id"));

    Answer refused = put(id, "result", fence, Samples.file(1));

    assertThat(refused.text("/state")).isEqualTo("failed");
    assertThat(refused.text("/reason")).contains("the token that requested this was revoked");
  }

  @Test
  void damagedOrTooLargeResultFailsItsJob() throws Exception {
    int size = Samples.file(1).length;
    try (TestRegistry small =
        TestRegistry.start("nola.catalog.namespace-quota=" + (size + 10) + "B")) {
      TestClient smallAdmin = small.admin();
      String name = smallAdmin.namespace();
      TestObjects.putDataset(smallAdmin, name + "/d", Map.of("a", "a"));
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
        ids[i] = smallAdmin.post(JOBS, Map.of("type", "train", "train", train)).text("/id");
        fences[i] = lease(smallAdmin, trainer("w")).at("/leases/0/fence").asLong();
      }
      byte[] damaged = Samples.file(3);
      damaged[damaged.length / 2] ^= 1;

      assertThat(put(smallAdmin, ids[0], "result", fences[0], damaged).text("/reason"))
          .contains("checksum");
      smallAdmin.publish(name + "/other@1.0.0", Samples.file(1));
      Answer full = put(smallAdmin, ids[1], "result", fences[1], Samples.file(2));
      assertThat(full.text("/state")).isEqualTo("failed");
      assertThat(full.text("/reason")).contains("the quota of namespace").contains("leaves 9");
      // Room is made, and nobody trains again.
      smallAdmin.delete("/api/v1/adapters/" + name + "/other/versions/1.0.0");
      assertThat(smallAdmin.post(JOBS + "/" + ids[1] + "/retry", "").text("/state"))
          .isEqualTo("succeeded");
      assertThat(smallAdmin.get("/api/v1/adapters/" + name + "/mood/versions/1.0.0/file").bytes())
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
    JsonNode lease =
        lease(worker, TestObjects.with(trainer("w"), "types", List.of("export"))).at("/leases/0");
    assertThat(lease.at("/digest").asString()).isEqualTo(Sha256.hash(Samples.file(1)).toString());
    assertThat(lease.at("/job/request/export/version").asString()).isEqualTo("1.0.0");
    assertThat(ann.get(JOBS + "/" + id + "/result").refusal()).isEqualTo("404 not-found");

    Answer ended = put(id, "result", lease.at("/fence").asLong(), bytes("an archive"));

    assertThat(ended.text("/state")).isEqualTo("succeeded");
    assertThat(ended.json().at("/result/size").asInt()).isEqualTo(10);
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
}
