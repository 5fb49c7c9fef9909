package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.digest.Sha256;
import dev.nola.registry.TestClient.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A blob store on a file system of one megabyte, which only root can mount. */
class DiskFullTest {
  private static final int SIZE = 300_000;

  @Test
  void uploadToAFullDisk_isRefusedWith507AndLeavesNothing(@TempDir Path folder) throws Exception {
    Path blobs = Files.createDirectories(folder.resolve("data/blobs"));
    assumeTrue(
        shell("mount -t tmpfs -o size=1m,mode=700 tmpfs '" + blobs + "'"),
        "a tmpfs cannot be mounted here");
    try (TestRegistry registry =
        TestRegistry.start(TestDatabase.create(), folder.resolve("data"))) {
      TestClient admin = registry.admin();
      String namespace = admin.namespace();
      int stored = 0;
      Answer answer = upload(admin, namespace, stored);
      while (answer.status() == 201) {
        stored++;
        answer = upload(admin, namespace, stored);
      }

      assertThat(stored).isBetween(1, 3);
      assertThat(answer.refusal()).isEqualTo("507 disk-full");
      assertThat(answer.text("/detail")).contains("no disk space left; nothing was stored");
      try (Stream<Path> files = Files.walk(blobs)) {
        assertThat(files.filter(Files::isRegularFile)).hasSize(stored);
      }
      assertThat(shell("mount -o remount,size=8m '" + blobs + "'")).isTrue();
      assertThat(upload(admin, namespace, stored).status()).isEqualTo(201);
      assertThat(shell("umount -l '" + blobs + "'")).isTrue();
    } finally {
      shell("umount -l '" + blobs + "'");
    }
  }

  private static Answer upload(TestClient admin, String namespace, int number) throws Exception {
    byte[] bytes = new byte[SIZE];
    new Random(number).nextBytes(bytes);
    return admin.send(
        "PUT",
        "/api/v1/datasets/%s/filler/files/%s".formatted(namespace, Sha256.hash(bytes)),
        BodyPublishers.ofByteArray(bytes),
        "Content-Type",
        "application/octet-stream");
  }

  private static boolean shell(String command) throws Exception {
    return new ProcessBuilder("sh", "-c", command).start().waitFor() == 0;
  }
}
