package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.name.AdapterName;
import dev.nola.client.Progress;
import dev.nola.client.registry.NolaClient;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tests docker-compose.yml without Docker: checks the settings of every container, and runs the
 * containers' start commands unchanged, with a PostgreSQL that the test starts.
 */
class ComposeTest {
  private static final String PASSWORD = "database-password-of-enough-characters";
  private static final String ADMIN = "admin-token-of-docker-compose-for-the-test";

  /** Main classes of the images' jars. */
  private static final Map<String, String> MAIN =
      Map.of(
          "/opt/nola/nola-registry-server-exec.jar", "dev.nola.registry.RegistryMain",
          "/opt/nola/nola-trainer-worker.jar", "dev.nola.trainer.TrainerWorker");

  @TempDir private Path folder = Path.of("");

  @Test
  void everyContainerHasAHealthCheckAndIsHardened() throws IOException {
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
      assertThat(image.baseImages())
          .hasSizeGreaterThanOrEqualTo(2)
          .allMatch(name -> name.matches("[a-z-]+:\\d+\\.\\d+.*"));
      assertThat(image.instructions().get("USER")).as(file).matches("[1-9]\\d*:[1-9]\\d*");
    }
  }

  @Test
  void secretsAreOnlyInFiles() throws IOException {
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
  @Tag("long")
  void startedContainersServeAndVerify() throws Exception {
    try (EmbeddedPostgres postgres = postgres();
        Containers containers = new Containers(postgres.getPort())) {
      Process registry = containers.start("registry");
      containers.awaitHealth("registry", registry);
      workersGetTheirToken(containers);
      try (NolaClient admin = containers.client(ADMIN)) {
        assertThat(admin.tokens().current().account()).isEqualTo("admin");
      }
      Path data = containers.mounted("registry", "/var/lib/nola");
      assertThat(data.resolve("blobs")).isDirectory();
      assertThat(data.resolve("postgres")).as("embedded database").doesNotExist();
      assertThat(data.resolve("admin-token"))
          .as("generated token, though one was given")
          .doesNotExist();

      workersVerify(containers);

      registry.destroy();
      assertThat(containers.end(registry)).as("after SIGTERM").isEqualTo(143);
    }
  }

  private static void workersGetTheirToken(Containers containers) throws Exception {
    assertThat(containers.end(containers.start("worker-token")))
        .as(containers.log("worker-token"))
        .isZero();
    Path token = containers.mounted("worker-1", "/var/lib/nola-token").resolve("token");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(token)))
        .isEqualTo("rw-------");
    String secret = Files.readString(token).strip();
    try (NolaClient worker = containers.client(secret)) {
      Token shown = worker.tokens().current();
      assertThat(shown.account()).isEqualTo("worker");
      assertThat(shown.scopes()).containsExactly(Scope.WORKER);
    }
    assertThat(containers.end(containers.start("worker-token"))).isZero();
    assertThat(token).content().as("valid token").isEqualTo(secret + "\n");
    Files.writeString(token, "nola_revoked\n");
    assertThat(containers.end(containers.start("worker-token"))).isZero();
    assertThat(token).content().as("refused token").doesNotContain("revoked");
  }

  private void workersVerify(Containers containers) throws Exception {
    for (String name : List.of("worker-1", "worker-2")) {
      containers.awaitHealth(name, containers.start(name));
    }
    List<String> keys =
        await(
            "both workers register a key",
            () -> {
              List<String> found = new ArrayList<>();
              JsonNode registered = containers.admin("GET", "/api/v1/worker-keys", null);
              registered.at("/items").forEach(k -> found.add(k.at("/fingerprint").asString()));
              return found.size() == 2 ? found : null;
            },
            containers);
    for (String key : keys) {
      JsonNode approved = containers.admin("PUT", "/api/v1/worker-keys/" + key + "/approval", "{}");
      assertThat(approved.at("/state").asString()).isEqualTo("approved");
    }
    try (NolaClient admin = containers.client(ADMIN)) {
      admin.namespaces().create("acme");
      admin
          .adapters()
          .publish(
              AdapterName.parse("acme/mood"), "1.0.0", Samples.small(folder, 7), Progress.NONE);
    }
    JsonNode attestations =
        await(
            "every backend attests the version",
            () -> {
              JsonNode version =
                  containers.admin("GET", "/api/v1/adapters/acme/mood/versions/1.0.0", null);
              JsonNode found = version.at("/attestations");
              return found.at("/backends").size() == 3 ? found : null;
            },
            containers);
    assertThat(attestations.at("/mismatches").asInt()).isZero();
    assertThat(attestations.at("/independent").asInt()).as("one machine").isEqualTo(1);
    assertThat(containers.log("worker-1")).contains("key sha256:").doesNotContain("incubator");
  }

  private static <T> T await(String what, Callable<@Nullable T> look, Containers containers)
      throws Exception {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(4);
    T found;
    while ((found = look.call()) == null) {
      assertThat(System.nanoTime())
          .as(what + "\n" + containers.log("worker-1") + containers.log("worker-2"))
          .isLessThan(end);
      Thread.sleep(300);
    }
    return found;
  }

  /** Starts a PostgreSQL that requires passwords, and runs the SQL of create-role.sh on it. */
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
   * Runs the containers of the file as processes; their paths are mapped into a folder, their ports
   * to free ones.
   */
  private final class Containers implements AutoCloseable {
    private final Compose compose = Compose.read();
    private final Path host = Files.createDirectory(folder.resolve("host"));
    private final List<Process> running = new ArrayList<>();
    private final int port = freePort();
    private final int databasePort;

    Containers(int databasePort) throws IOException {
      this.databasePort = databasePort;
    }

    /** Maps a container's path to a local one; volumes are folders, shared as the file says. */
    Path mounted(String service, String path) throws IOException {
      String source = compose.mountsOf(service).get(path);
      return Files.createDirectories(host.resolve("volumes").resolve(source).normalize());
    }

    JsonNode admin(String method, String path, @Nullable String body) throws Exception {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
              .header("Authorization", "Bearer " + ADMIN)
              .header("Content-Type", "application/json")
              .method(
                  method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
              .build();
      try (HttpClient http = HttpClient.newHttpClient()) {
        return JsonMapper.shared().readTree(http.send(request, BodyHandlers.ofString()).body());
      }
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
          new ProcessBuilder()
              .directory(secrets.getParent().toFile())
              .redirectErrorStream(true)
              .redirectOutput(host.resolve(service + ".log").toFile());
      Map<String, String> places = places(service, secrets);
      List<String> command = new ArrayList<>();
      start.command().forEach(word -> command.add(localize(word, places)));
      command.replaceAll(
          word ->
              word.equals("java")
                  ? Path.of(System.getProperty("java.home"), "bin", "java").toString()
                  : word);
      int jar = command.indexOf("-jar");
      if (jar >= 0) {
        String main = MAIN.get(command.get(jar + 1));
        assertThat(main).as("main class of " + command.get(jar + 1)).isNotNull();
        command.set(jar, "-cp");
        command.set(jar + 1, System.getProperty("java.class.path"));
        command.add(jar + 2, main);
      }
      builder.command(command);
      builder.environment().keySet().removeIf(name -> name.matches("(NOLA|SPRING)_.*"));
      start.environment().forEach((n, v) -> builder.environment().put(n, localize(v, places)));
      builder.environment().remove("DJL_CACHE_DIR"); // half a gigabyte, which is already unpacked
      Process process = builder.start();
      running.add(process);
      return process;
    }

    void awaitHealth(String service, Process process) throws Exception {
      Map<String, String> places = places(service, host);
      List<String> check =
          compose.healthCheckOf(service).stream().map(word -> localize(word, places)).toList();
      long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(3);
      while (new ProcessBuilder(check).start().waitFor() != 0) {
        assertThat(process.isAlive()).as("%s: %s", service, log(service)).isTrue();
        assertThat(System.nanoTime()).as(log(service)).isLessThan(end);
        Thread.sleep(200);
      }
    }

    int end(Process process) throws InterruptedException {
      assertThat(process.waitFor(2, TimeUnit.MINUTES)).as("ended in time").isTrue();
      return process.exitValue();
    }

    /** Maps paths, ports, addresses and programs in the files to their local replacements. */
    private Map<String, String> places(String service, Path secrets) throws IOException {
      Map<String, String> places = new LinkedHashMap<>();
      for (String path : compose.mountsOf(service).keySet()) {
        places.put(path, mounted(service, path).toString());
      }
      places.put("/opt/nola/worker-token.sh", script().toString());
      places.put(
          "/opt/nola/quiet.sh",
          Path.of("../trainer-worker/docker/quiet.sh").toAbsolutePath().toString());
      places.put("/run/secrets", secrets.toString());
      places.put("//database:5432", "//127.0.0.1:" + databasePort);
      places.put("8080", Integer.toString(port));
      places.put("0.0.0.0", "127.0.0.1"); // no other machine should reach a test
      return places;
    }

    /** Replaces places in a word of the file; a longer place takes precedence over its prefixes. */
    private static String localize(String word, Map<String, String> places) {
      String pattern =
          places.keySet().stream()
              .sorted(Comparator.comparing(String::length).reversed())
              .map(Pattern::quote)
              .collect(Collectors.joining("|"));
      return Pattern.compile(pattern)
          .matcher(word)
          .replaceAll(found -> Matcher.quoteReplacement(places.getOrDefault(found.group(), "")));
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
