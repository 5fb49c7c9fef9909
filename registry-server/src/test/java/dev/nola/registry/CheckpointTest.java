package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the blobs of checkpoints take, and for how long. */
class CheckpointTest extends JobTest {
  private static final int SIZE = 600_000;

  /** Bytes that no other test has. */
  private byte[] content(int number) {
    byte[] bytes = new byte[SIZE];
    new Random(31L * namespace.hashCode() + number).nextBytes(bytes);
    return bytes;
  }

  private String[] runningJob(String version) throws Exception {
    submit(version);
    JsonNode lease = takeAs("w-" + version);
    return new String[] {lease.at("/job/id").asString(), lease.at("/fence").asString()};
  }

  private int put(String[] job, int number) throws Exception {
    return put(job[0], "checkpoint", Long.parseLong(job[1]), content(number)).status();
  }

  @Test
  void replacedCheckpoints_areDeletedAtOnce() throws Exception {
    String[] job = runningJob("1.0.0");
    int before = registry.blobFiles().size();

    for (int i = 0; i < 12; i++) {
      assertThat(put(job, i)).isEqualTo(204);
      assertThat(registry.blobFiles()).hasSize(before + 1);
    }

    assertThat(put(job, 11)).as("the same bytes").isEqualTo(204);
    assertThat(checkpoint(job[0], Long.parseLong(job[1])).bytes()).isEqualTo(content(11));
    assertThat(
            put(job[0], "result", Long.parseLong(job[1]), Samples.file(namespace.hashCode()))
                .text("/state"))
        .isEqualTo("succeeded");
    assertThat(registry.blobFiles()).as("the version's file").hasSize(before + 1);
  }

  @Test
  void checkpointThatAnotherJobHas_stays() throws Exception {
    String[] first = runningJob("1.0.0");
    String[] second = runningJob("2.0.0");
    put(first, 1);
    JobTest.registry
        .database()
        .execute(
            "update job set checkpoint_digest = f.checkpoint_digest from job f where f.id = '%s' and job.id = '%s'"
                .formatted(first[0], second[0]));

    assertThat(put(first, 2)).isEqualTo(204);

    assertThat(checkpoint(second[0], Long.parseLong(second[1])).bytes()).isEqualTo(content(1));
  }

  @Test
  void checkpoints_countAgainstTheQuota() throws Exception {
    String[] first = runningJob("1.0.0");
    String[] second = runningJob("2.0.0");
    assertThat(put(first, 1)).isEqualTo(204);
    assertThat(put(first, 2)).as("its predecessor no longer counts").isEqualTo(204);
    int before = registry.blobFiles().size();

    TestClient.Answer refused = put(second[0], "checkpoint", Long.parseLong(second[1]), content(3));

    assertThat(refused.refusal()).isEqualTo("422 invalid");
    assertThat(refused.json().at("/violations/0/field").asString()).isEqualTo("quota");
    assertThat(registry.blobFiles()).hasSize(before);
    assertThat(ann.post(JOBS + "/" + first[0] + "/cancel", Map.of()).status()).isEqualTo(200);
  }
}
