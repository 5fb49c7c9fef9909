package dev.nola.registry.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  private static final int SERVERS = 8;

  @TempDir private Path root;

  @Test
  void serversThatStartTogetherAgreeOnASecret() throws Exception {
    CyclicBarrier together = new CyclicBarrier(SERVERS);
    List<Future<String>> secrets = new ArrayList<>();
    try (ExecutorService servers = Executors.newFixedThreadPool(SERVERS)) {
      for (int i = 0; i < SERVERS; i++) {
        DataDirectory data = new DataDirectory(root.toString(), "jdbc:postgresql:shared");
        secrets.add(
            servers.submit(
                () ->
                    data.secret(
                        "secret",
                        () -> {
                          try {
                            together.await(); // each has found no file
                            return DataDirectory.randomSecret();
                          } catch (Exception e) {
                            throw new IllegalStateException(e);
                          }
                        })));
      }
    }

    for (Future<String> secret : secrets) {
      assertThat(secret.get()).hasSize(64).isEqualTo(secrets.getFirst().get());
    }
    try (var files = Files.list(root)) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrder("lock", "secret");
    }
    assertThat(Files.getPosixFilePermissions(root.resolve("secret"))).hasSize(2);
  }
}
