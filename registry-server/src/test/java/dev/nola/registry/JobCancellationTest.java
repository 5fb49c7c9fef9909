package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.registry.TestClient.Answer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Cancelling queued and running jobs. */
class JobCancellationTest extends JobTest {
  @Test
  void cancelledQueuedJobCanBeRetried() throws Exception {
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
    assertThat(stopped.json().at("/cancelRequested").asBoolean()).as("it has ended").isFalse();
    assertThat(ann.get("/api/v1/adapters/" + namespace + "/mood").status()).isEqualTo(404);
  }

  @Test
  void retriedJob_startsAnew() throws Exception {
    String id = submit("1.0.0");
    String first = takeAs("w").at("/job/startedAt").asString();
    ann.post(JOBS + "/" + id + "/cancel", "");
    loseLeases(id);

    Answer retried = ann.post(JOBS + "/" + id + "/retry", "");

    assertThat(retried.json().hasNonNull("startedAt")).as("not started yet").isFalse();
    assertThat(retried.json().at("/cancelRequested").asBoolean()).isFalse();
    assertThat(takeAs("w").at("/job/startedAt").asString()).isNotEmpty().isNotEqualTo(first);
  }

  @Test
  void resultOfAJobCancelledDuringItsUploadIsRefused() throws Exception {
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
      Await.until(() -> !isEmpty(registry.data().resolve("blobs/tmp"))); // the job was looked at
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
}
