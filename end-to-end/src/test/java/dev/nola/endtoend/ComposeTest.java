package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.client.registry.NolaClient;
import dev.nola.registry.RegistryServer;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * docker-compose.yml without Docker: what it says of every container, and its start commands run as
 * they stand there, with a PostgreSQL that was started apart.
 */
class ComposeTest {
  private static final String PASSWORD = "database-password-of-enough-characters";
  private static final String ADMIN = "admin-token-of-docker-compose-for-the-test";

  @TempDir private Path folder = Path.of("");

  @Test
  void everyContainerIsCheckedAndClosedUp() throws IOException {
    Compose compose = Compose.read();
    assertThat(compose.services()).hasSizeGreaterThanOrEqualTo(6);
    compose
        .services()
        .forEach(
            (name, service) -> {
              assertThat(compose.healthCheckOf(name)).as(name).isNotEmpty();
              assertThat(String.valueOf(service.get("user")))
                  .as("user of %s", name)
                  .matches("postgres|[1-9]\\d*:[1-9]\\d*");
              assertThat(service).as(name).containsEntry("read_only", true);
              assertThat(service).as(name).containsEntry("cap_drop", List.of("ALL"));
              assertThat(service)
                  .as(name)
                  .containsEntry("security_opt", List.of("no-new-privileges:true"));
              assertThat(Compose.strings(service.getOrDefault("ports", List.of())))
                  .as("ports of %s", name)
                  .allMatch(port -> port.startsWith("127.0.0.1:"));
            });
  }

  @Test
  void imagesArePinned() throws IOException {
    Compose compose = Compose.read();
    for (Map<String, Object> service : compose.services().values()) {
      assertThat(String.valueOf(service.get("image"))).matches("[a-z/-]+:\\d+\\.\\d+.*");
    }
    for (String file : List.of("registry-server/Dockerfile", "trainer-worker/Dockerfile")) {
      Compose.Dockerfile image = Compose.dockerfile(file);
      assertThat(image.from()).hasSize(2).allMatch(from -> from.matches("[a-z-]+:\\d+\\.\\d+.*"));
      assertThat(image.instructions().get("USER")).as(file).matches("[1-9]\\d*:[1-9]\\d*");
    }
  }

  @Test
  void secretsAreInFilesOnly() throws IOException {
    Compose compose = Compose.read();
    assertThat(compose.secrets().values())
        .isNotEmpty()
        .allSatisfy(secret -> assertThat(String.valueOf(secret)).startsWith("{file=./secrets/"));
    for (String service : compose.services().keySet()) {
      compose
          .environmentOf(service)
          .forEach(
              (name, value) ->
                  assertThat(name.endsWith("_FILE") ? "" : name)
                      .as("%s=%s of %s", name, value, service)
                      .doesNotContainPattern("PASSWORD|SECRET|TOKEN|KEY"));
      assertThat(compose.secrets().keySet()).containsAll(compose.secretsOf(service).values());
    }
    assertThat(Compose.text(".gitignore").lines()).contains("/secrets/");
    assertThat(Compose.text(".dockerignore").lines()).contains("secrets", ".git");
  }

  @Test
  void theRegistryStartsAndGivesWorkersTheirToken() throws Exception {
    try (EmbeddedPostgres postgres = postgres();
        Containers containers = new Containers(postgres.getPort())) {
      Process registry = containers.start("registry");
      containers.awaitHealth("registry", registry);

      Process first = containers.start("worker-token");
      assertThat(containers.end(first)).as(containers.log("worker-token")).isZero();
      Path token = containers.path("/var/lib/nola-token/token");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(token)))
          .isEqualTo("rw-------");
      String secret = Files.readString(token).strip();
      try (NolaClient worker = containers.client(secret)) {
        Token shown = worker.whoami();
        assertThat(shown.account()).isEqualTo("worker");
        assertThat(shown.scopes()).containsExactly(Scope.WORKER);
      }
      try (NolaClient admin = containers.client(ADMIN)) {
        assertThat(admin.whoami().account()).isEqualTo("admin");
      }

      assertThat(containers.end(containers.start("worker-token"))).isZero();
      assertThat(token).content().as("a good token is kept").isEqualTo(secret + "\n");
      Files.writeString(token, "nola_revoked\n");
      assertThat(containers.end(containers.start("worker-token"))).isZero();
      assertThat(token).content().as("one that is refused is not").startsWith("nola_");
      assertThat(token).content().doesNotContain("revoked").isNotEqualTo(secret + "\n");

      assertThat(containers.path("/var/lib/nola").resolve("postgres")).doesNotExist();
      assertThat(containers.path("/var/lib/nola").resolve("admin-token")).doesNotExist();
      registry.destroy();
      assertThat(containers.end(registry)).as("after SIGTERM").isEqualTo(143);
    }
  }

  /** A PostgreSQL that asks for passwords, prepared by what create-role.sh has for the image's. */
  private EmbeddedPostgres postgres() throws IOException, SQLException {
    Path superuser = Files.writeString(folder.resolve("superuser"), "of the image");
    EmbeddedPostgres postgres =
        EmbeddedPostgres.builder()
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .setLocaleConfig("auth", "scram-sha-256")
            .setLocaleConfig("pwfile", superuser.toString())
            .setConnectConfig("password", "of the image")
            .start();
    try (var connection = postgres.getPostgresDatabase().getConnection();
        var statement = connection.createStatement()) {
      String script = Compose.text("registry-server/docker/create-role.sh");
      List<String> statements =
          script.lines().filter(line -> line.endsWith(";") && !line.startsWith("\\")).toList();
      assertThat(statements).hasSize(3);
      for (String sql : statements) {
        statement.execute(sql.replace(":'password'", "'" + PASSWORD + "'"));
      }
    }
    return postgres;
  }

  /**
   * The containers of the file as processes: their paths lie in a folder, their ports are free
   * ones.
   */
  private final class Containers implements AutoCloseable {
    private final Compose compose = Compose.read();
    private final Path host = Files.createDirectory(folder.resolve("host"));
    private final List<Process> running = new ArrayList<>();
    private final int port = freePort();
    private final int databasePort;

    Containers(int databasePort) throws IOException {
      this.databasePort = databasePort;
      Files.createDirectories(path("/var/lib/nola"));
      Files.createDirectories(path("/var/lib/nola-token"));
    }

    Path path(String inContainer) {
      return host.resolve(inContainer.substring(1));
    }

    NolaClient client(String token) {
      return NolaClient.builder(URI.create("http://127.0.0.1:" + port)).token(token).build();
    }

    String log(String service) throws IOException {
      return Files.readString(host.resolve(service + ".log"));
    }

    Process start(String service) throws IOException {
      Compose.Start start = compose.startOf(service);
      Path secrets = Files.createDirectories(host.resolve(service).resolve("secrets"));
      for (Map.Entry<String, String> file : compose.secretsOf(service).entrySet()) {
        String value = file.getValue().equals("admin-token") ? ADMIN : PASSWORD;
        Files.writeString(secrets.resolve(file.getKey()), value + "\n"); // as openssl writes them
      }
      ProcessBuilder builder =
          new ProcessBuilder(start.command().stream().map(w -> here(w, secrets)).toList())
              .directory(path("/var/lib/nola").toFile())
              .redirectErrorStream(true)
              .redirectOutput(host.resolve(service + ".log").toFile());
      List<String> command = new ArrayList<>(builder.command());
      int jar = command.indexOf("-jar");
      if (jar >= 0) {
        assertThat(command.get(jar + 1)).isEqualTo("/opt/nola/nola-registry-server-exec.jar");
        command.set(jar, "-cp");
        command.set(jar + 1, System.getProperty("java.class.path"));
        command.add(jar + 2, RegistryServer.class.getName());
      }
      builder.command(command);
      builder.environment().keySet().removeIf(name -> name.matches("(NOLA|SPRING)_.*"));
      start.environment().forEach((n, value) -> builder.environment().put(n, here(value, secrets)));
      Process process = builder.start();
      running.add(process);
      return process;
    }

    void awaitHealth(String service, Process process) throws Exception {
      List<String> check =
          compose.healthCheckOf(service).stream().map(word -> here(word, host)).toList();
      long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
      while (new ProcessBuilder(check).start().waitFor() != 0) {
        assertThat(process.isAlive()).as("%s: %s", service, log(service)).isTrue();
        assertThat(System.nanoTime()).as(log(service)).isLessThan(end);
        Thread.sleep(200);
      }
    }

    int end(Process process) throws InterruptedException {
      assertThat(process.waitFor(2, TimeUnit.MINUTES)).as("ends in time").isTrue();
      return process.exitValue();
    }

    /** A word of the file, with what is another here: paths, ports, addresses and programs. */
    private String here(String word, Path secrets) {
      Map<String, String> other = new LinkedHashMap<>();
      other.put("/opt/nola/worker-token.sh", script().toString());
      other.put("/run/secrets", secrets.toString());
      other.put("/var/lib/", path("/var/lib") + "/");
      other.put("//database:5432", "//127.0.0.1:" + databasePort);
      other.put("8080", Integer.toString(port));
      other.put("0.0.0.0", "127.0.0.1"); // of a test, nobody else's machine should see anything
      String here = word;
      for (Map.Entry<String, String> pair : other.entrySet()) {
        here = here.replace(pair.getKey(), pair.getValue());
      }
      return here.equals("java")
          ? Path.of(System.getProperty("java.home"), "bin", "java").toString()
          : here;
    }

    private static Path script() {
      return Path.of("../registry-server/docker/worker-token.sh").toAbsolutePath().normalize();
    }

    private static int freePort() throws IOException {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      }
    }

    @Override
    public void close() {
      for (Process process : running.reversed()) {
        process.destroy();
        process.onExit().join();
      }
    }
  }
}
