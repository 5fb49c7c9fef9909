package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;

/** The commands of README.md, "Backup and restore", as they stand there. */
class BackupTest {
  @TempDir private Path folder;

  /** The block of commands below a line of the README that begins with these words. */
  private static String commands(String heading) throws Exception {
    Matcher block =
        Pattern.compile(Pattern.quote(heading) + ".*?\n```sh\n(.*?)\n```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("README.md")));
    assertThat(block.find()).as("commands after \"%s\"", heading).isTrue();
    return block.group(1);
  }

  private Path data() {
    return folder.resolve("nola-data");
  }

  private Path log() {
    return folder.resolve("log");
  }

  private static void publish(
      ServerProcess server, String adapter, int number, Map<String, String> acknowledged)
      throws Exception {
    String version = adapter + "@1." + number + ".0";
    TestClient.Answer answer = server.admin().publish(version, Samples.file(number));
    assertThat(answer.status()).as(version).isEqualTo(201);
    acknowledged.put(version, answer.text("/digest"));
  }

  private static void assertSound(
      ServerProcess server, String namespace, Map<String, String> expected) throws Exception {
    Published.assertAllWhole(server.admin(), namespace, expected);
    JsonNode scrub = server.admin().post("/api/v1/admin/scrub", "").json();
    assertThat(scrub.at("/corrupt")).isEmpty();
    assertThat(scrub.at("/checked").asInt()).isGreaterThanOrEqualTo(expected.size());
  }

  @Test
  @Tag("long")
  void stoppedServersDirectoryIsABackup() throws Exception {
    Map<String, String> published = new ConcurrentHashMap<>();
    String namespace;
    try (ServerProcess server = ServerProcess.start(data(), log())) {
      namespace = server.admin().namespace();
      for (int i = 0; i < 5; i++) {
        publish(server, namespace + "/a", i, published);
      }
    }
    Shell.run(commands("With the server's own PostgreSQL"), folder, Map.of());
    try (ServerProcess server = ServerProcess.start(data(), log())) {
      publish(server, namespace + "/a", 99, new ConcurrentHashMap<>());
    }
    FileSystemUtils.deleteRecursively(data());

    Shell.run(commands("and to restore it"), folder, Map.of());

    try (ServerProcess server = ServerProcess.start(data(), log())) {
      assertSound(server, namespace, published);
      assertThat(
              server.admin().get("/api/v1/adapters/" + namespace + "/a/versions/1.99.0").status())
          .as("what came after the backup")
          .isEqualTo(404);
      publish(server, namespace + "/a", 100, published);
    }
  }

  @Test
  @Tag("long")
  void publishingServerIsBackedUpWhole() throws Exception {
    Optional<Path> programs = InstalledPostgres.programs();
    assumeTrue(programs.isPresent(), "needs the packages of PostgreSQL, which .ci/run installs");
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    Map<String, String> published;
    String namespace;
    try (InstalledPostgres postgres = InstalledPostgres.start(programs.get())) {
      try (ServerProcess server = ServerProcess.start(data(), log(), postgres.settings());
          ExecutorService executor = Executors.newSingleThreadExecutor()) {
        namespace = server.admin().namespace();
        for (int i = 0; i < 5; i++) {
          publish(server, namespace + "/a", i, acknowledged);
        }
        AtomicBoolean enough = new AtomicBoolean();
        Future<?> publishing =
            executor.submit(
                () -> {
                  for (int i = 5; !enough.get(); i++) {
                    publish(server, namespace + "/a", i, acknowledged);
                  }
                  return null;
                });
        published = Map.copyOf(acknowledged);
        try {
          postgres.shell(commands("With a PostgreSQL of your own"), folder);
        } finally {
          enough.set(true);
        }
        publishing.get();
        assertThat(acknowledged).as("published meanwhile").hasSizeGreaterThan(published.size());
      }
      FileSystemUtils.deleteRecursively(data());
      postgres.shell("dropdb nola", folder);

      // The superuser restores, and the server's role must be able to use the result.
      postgres.shell("export PGUSER=postgres\n" + commands("To restore, with"), folder);

      try (ServerProcess server = ServerProcess.start(data(), log(), postgres.settings())) {
        assertSound(server, namespace, published);
        publish(server, namespace + "/a", 1_000_000, acknowledged);
      }
    }
  }
}
