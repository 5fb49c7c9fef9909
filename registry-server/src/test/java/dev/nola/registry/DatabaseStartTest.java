package dev.nola.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.digest.Sha256;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DatabaseStartTest {
  @TempDir private Path folder;

  @Test
  void embeddedDatabaseRequiresAPasswordAndIsDurable() throws Exception {
    Path data = folder.resolve("data");
    try (ServerProcess server = ServerProcess.start(data, folder.resolve("log"))) {
      Path file = data.resolve("postgres/connection.properties");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      assertThat(data.resolve("postgres/superuser-password")).doesNotExist();
      Properties known = new Properties();
      try (var in = Files.newBufferedReader(file)) {
        known.load(in);
      }
      String url = "jdbc:postgresql://127.0.0.1:" + known.getProperty("port") + "/nola";
      for (String user : List.of("nola", "postgres")) {
        assertThatThrownBy(() -> DriverManager.getConnection(url, user, "guess"))
            .isInstanceOf(SQLException.class)
            .hasMessageContaining("password authentication failed");
      }
      try (Connection connection =
              DriverManager.getConnection(url, "nola", known.getProperty("password"));
          var rows =
              connection
                  .createStatement()
                  .executeQuery(
                      """
                      select rolsuper, current_setting('fsync'), current_setting('synchronous_commit'),
                        current_setting('listen_addresses'), current_setting('password_encryption')
                      from pg_roles where rolname = current_user""")) {
        rows.next();
        assertThat(rows.getBoolean(1)).isFalse();
        assertThat(rows.getString(2)).isEqualTo("on");
        assertThat(rows.getString(3)).isEqualTo("on");
        assertThat(rows.getString(4)).isEqualTo("127.0.0.1");
        assertThat(rows.getString(5)).isEqualTo("scram-sha-256");
      }
      HostileNames.send(server.admin());
      logsAreJsonWithoutSecretsAndHostileNames(server.log(), known);
    }
    assertThat(data.resolve("postgres/cluster/postmaster.pid")).doesNotExist(); // ended with it
  }

  @Test
  @Tag("long")
  void killedDatabase_isStartedAgain_alsoOnAnotherPort() throws Exception {
    // Relative, with what shells interpret: also a path that Spring took for one on its class path.
    Path data =
        Path.of("").toAbsolutePath().relativize(folder.resolve("price-$dollar `id` 'q' 資料"));
    assertThat(data.toString()).startsWith("..");
    Path pid = data.resolve("postgres/cluster/postmaster.pid");
    int port;
    try (ServerProcess server = ServerProcess.start(data, folder.resolve("log"))) {
      String namespace = server.admin().namespace();
      for (int kill = 0; kill < 2; kill++) {
        server.killDatabase(data);
        server.awaitReady();
        assertThat(
                server.admin().publish(namespace + "/a@1." + kill + ".0", Samples.file(1)).status())
            .isEqualTo(201);
      }
      port = Integer.parseInt(Files.readAllLines(pid).get(3).strip());
      server.killWithDatabase(data);
    }
    List<String> lock = Files.readAllLines(pid);
    // As after the start of a container: the number now is another process's.
    lock.set(0, Long.toString(ProcessHandle.current().pid()));
    Files.write(pid, lock);
    try (ServerSocket silent = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        ServerProcess server = ServerProcess.start(data, folder.resolve("log"))) {
      assertThat(silent.isBound()).isTrue();
      assertThat(Integer.parseInt(Files.readAllLines(pid).get(3).strip())).isNotEqualTo(port);
      assertThat(server.admin().get("/api/v1/adapters").json().at("/items")).hasSize(1);
    }
  }

  private static void logsAreJsonWithoutSecretsAndHostileNames(Path log, Properties known)
      throws Exception {
    String text = Files.readString(log);
    assertThat(text)
        .doesNotContain(TestRegistry.ADMIN)
        .doesNotContain(known.getProperty("password"))
        .contains("single machine only");
    List<String> messages = new ArrayList<>();
    for (String line : text.lines().filter(line -> !line.startsWith("WARNING")).toList()) {
      JsonNode entry = JsonMapper.shared().readTree(line);
      assertThat(entry.has("message")).as(line).isTrue();
      messages.add(entry.at("/message").asString());
      assertThat(HostileNames.actsOnATerminal(line)).as(line).isFalse();
    }
    assertThat(messages)
        .anyMatch(message -> message.contains("unknown-key: key " + HostileNames.HARMLESS))
        .anyMatch(message -> message.contains("of tensor " + HostileNames.HARMLESS))
        .noneMatch(HostileNames::actsOnATerminal);
  }

  @Test
  void startFailureIsReportedInOneSentence() throws Exception {
    Path data = Files.createDirectories(folder.resolve("data"));
    Files.createDirectories(data.resolve("postgres"));
    Files.writeString(
        data.resolve("postgres/connection.properties"),
        "port=1\npassword=x\nsuperuser-password=x\ncomplete=true\n");
    Files.writeString(data.resolve("postgres/cluster"), "a file where a folder should be");

    ServerProcess server = ServerProcess.launch(data, folder.resolve("log"), Map.of());

    assertThat(server.waitFor()).isEqualTo(1);
    assertThat(Files.readString(server.log()))
        .contains("own PostgreSQL in " + data.resolve("postgres") + " does not start")
        .contains("nola.database.url")
        .contains("Not a directory")
        .doesNotContain("\\tat org.springframework");
  }

  /** As on OpenShift, where a container gets a user id of its own, and often no home. */
  @Test
  void userWithoutPasswdEntryAndHome_isToldWhatToDo() throws Exception {
    List<String> stranger = List.of("unshare", "--map-user=54321", "env", "-u", "HOME");
    Process attempt = new ProcessBuilder(append(stranger, "true")).start();
    assumeTrue(attempt.waitFor() == 0, "unshare --map-user is not allowed here");
    Path data = Files.createDirectories(folder.resolve("data"));

    ServerProcess server =
        ServerProcess.launch(
            append(stranger, "-u", "XDG_CACHE_HOME"), data, folder.resolve("log"), Map.of());

    assertThat(server.waitFor()).isEqualTo(1);
    assertThat(Files.readString(server.log()))
        .contains("could not look up effective user ID 54321")
        .contains("PostgreSQL needs the current user to have an entry in /etc/passwd")
        .contains("nola.database.url")
        .doesNotContain("\\tat org.springframework");
    assertThat(data.resolve("postgres/programs")).isDirectory();
    assertThat(Path.of("?")).doesNotExist();
  }

  private static List<String> append(List<String> words, String... more) {
    return Stream.concat(words.stream(), Stream.of(more)).toList();
  }

  @Test
  void databaseOfAnotherPostgresVersionIsRefusedAndLeftAlone() throws Exception {
    Path data = folder.resolve("data");
    Path cluster = Files.createDirectories(data.resolve("postgres/cluster"));
    Files.writeString(cluster.resolve("PG_VERSION"), "17\n");
    Files.writeString(cluster.resolve("postmaster.opts"), "as it was");
    Path connection = data.resolve("postgres/connection.properties");
    String known = "port=1\npassword=x\nsuperuser-password=x\ncomplete=true\n";
    Files.writeString(connection, known);

    ServerProcess server = ServerProcess.launch(data, folder.resolve("log"), Map.of());

    assertThat(server.waitFor()).isEqualTo(1);
    assertThat(Files.readString(server.log()))
        .contains("was written by PostgreSQL 17; this server has PostgreSQL 18")
        .contains("Back it up with the Nola version that wrote it");
    assertThat(cluster.resolve("PG_VERSION")).hasContent("17");
    assertThat(cluster.resolve("postmaster.opts")).hasContent("as it was");
    assertThat(cluster.toFile().list()).hasSize(2);
    assertThat(connection).hasContent(known);
  }

  @Test
  void anotherServerThatAddsTheAdminTokenAtTheSameTimeIsNoProblem() throws Exception {
    TestDatabase database = TestDatabase.create();
    TestRegistry.start(database, folder.resolve("one")).close();
    database.execute("update token set hash = sha256(hash)"); // as if it was not yet added
    try (Connection other = database.connect();
        var statement = other.createStatement()) {
      other.setAutoCommit(false);
      String hash =
          "decode('" + Sha256.hash(TestRegistry.ADMIN.getBytes(UTF_8)).hex() + "', 'hex')";
      statement.execute("update token set hash = " + hash);
      FutureTask<TestRegistry> start =
          new FutureTask<>(() -> TestRegistry.start(database, folder.resolve("two")));
      Thread.ofPlatform().start(start);
      Await.until(
          () ->
              database.count(
                      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                  == 1);
      other.commit();
      try (TestRegistry server = start.get()) {
        assertThat(server.admin().get("/api/v1/tokens").json()).hasSize(1);
      }
    }
  }

  @Test
  void unreachableDatabaseIsReportedInOneSentence() throws Exception {
    ServerProcess server =
        ServerProcess.launch(
            folder.resolve("data"),
            folder.resolve("log"),
            Map.of("NOLA_DATABASE_URL", "jdbc:postgresql://127.0.0.1:1/nola?password=hidden"));

    assertThat(server.waitFor()).isEqualTo(1);
    assertThat(Files.readString(server.log()))
        .contains("cannot connect to the database: Connection to 127.0.0.1:1 refused")
        .contains("Check that it is running")
        .doesNotContain("hidden");
  }
}
