package dev.nola.endtoend;

import dev.nola.api.Scope;
import dev.nola.api.TokenRequest;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import dev.nola.registry.RegistryServer;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.json.JsonMapper;

/** A real registry on a free port, with a real database and directory. */
final class Registry implements AutoCloseable {
  private static final String ADMIN = "end-to-end-admin-token-of-enough-characters";
  private static final AtomicInteger COUNT = new AtomicInteger();

  private ConfigurableApplicationContext context;
  private final Map<String, String> settings;
  private final Path data;
  private final boolean ownsData;
  private final HttpClient http = HttpClient.newHttpClient();

  private Registry(Map<String, String> settings, Path data, boolean ownsData) {
    this.settings = settings;
    this.context = run(settings);
    this.data = data;
    this.ownsData = ownsData;
  }

  /** One PostgreSQL for all tests of a run; it need not survive a crash. */
  private static final class Database {
    static final EmbeddedPostgres POSTGRES = start();

    private static EmbeddedPostgres start() {
      try {
        return EmbeddedPostgres.builder()
            .setRegisterShutdownHook(false) // the servers have to stop first
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    static String create() throws SQLException {
      String name = "registry" + COUNT.incrementAndGet();
      try (var connection = POSTGRES.getPostgresDatabase().getConnection();
          var statement = connection.createStatement()) {
        statement.execute("create database " + name);
      }
      return "jdbc:postgresql://localhost:%d/%s".formatted(POSTGRES.getPort(), name);
    }
  }

  /** The server shared by tests that need no settings of their own. */
  private static final class Shared {
    static final Registry REGISTRY = start();

    private static Registry start() {
      try {
        return Registry.start();
      } catch (IOException | SQLException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** A second server, for tests that copy from one to the other. */
  private static final class Other {
    static final Registry REGISTRY = start();

    private static Registry start() {
      try {
        return Registry.start();
      } catch (IOException | SQLException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static final Deque<Registry> RUNNING = new ConcurrentLinkedDeque<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(Registry::endAll));
  }

  private static void endAll() {
    try {
      for (Registry registry : RUNNING) {
        registry.close();
      }
      Database.POSTGRES.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Registry shared() {
    return Shared.REGISTRY;
  }

  /** Returns another shared server, which knows nothing of {@link #shared}. */
  static Registry other() {
    return Other.REGISTRY;
  }

  /** Starts a server, with settings such as {@code nola.access.anonymous-read=false}. */
  static Registry start(String... settings) throws IOException, SQLException {
    Map<String, String> database = new LinkedHashMap<>();
    database.put("nola.database.url", Database.create());
    database.put("nola.database.username", "postgres");
    return start(database, settings);
  }

  /**
   * Starts a server with its own PostgreSQL, like {@code nola serve}; that one waits for the disk,
   * unlike the PostgreSQL that tests share.
   */
  static Registry startWithOwnDatabase(String... settings) throws IOException {
    return start(Map.of(), settings);
  }

  private static Registry start(Map<String, String> database, String... settings)
      throws IOException {
    Path data = Files.createTempDirectory("nola-end-to-end");
    Map<String, String> all = new LinkedHashMap<>(database);
    all.put("server.port", "0");
    all.put("nola.data", data.toString());
    all.put("nola.access.admin-token", ADMIN);
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      all.put(setting.substring(0, equals), setting.substring(equals + 1));
    }
    Registry registry = new Registry(all, data, true);
    RUNNING.add(registry);
    return registry;
  }

  /** Starts another server on the same database and folder; close it before this one. */
  Registry replica() {
    Map<String, String> same = new LinkedHashMap<>(settings);
    same.put("server.port", "0");
    return new Registry(same, data, false);
  }

  private static ConfigurableApplicationContext run(Map<String, String> settings) {
    SpringApplication application = new SpringApplication(RegistryServer.class);
    application.setRegisterShutdownHook(false);
    return application.run(
        settings.entrySet().stream()
            .map(e -> "--" + e.getKey() + "=" + e.getValue())
            .toArray(String[]::new));
  }

  /** Stops the server, and starts it on the same port after a pause. */
  void restart(Duration pause) throws InterruptedException {
    settings.put("server.port", Integer.toString(port()));
    context.close();
    Thread.sleep(pause);
    context = run(settings);
  }

  /** Returns the main process of the PostgreSQL that the server has started. */
  long databaseProcess() throws IOException {
    try (Stream<Path> files = Files.find(data, 4, (file, _) -> file.endsWith("postmaster.pid"))) {
      return Long.parseLong(Files.readAllLines(files.findFirst().orElseThrow()).getFirst());
    }
  }

  int port() {
    return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port"));
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + port());
  }

  /** Creates a token for an account. */
  String token(String account, Scope... scopes) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        send(
            "POST",
            "/api/v1/tokens",
            "application/json",
            JsonMapper.shared()
                .writeValueAsBytes(new TokenRequest(account, null, List.of(scopes), null, null)));
    if (answer.statusCode() != 201) {
      throw new AssertionError(answer.body());
    }
    return JsonMapper.shared().readTree(answer.body()).path("secret").asString();
  }

  /** Sends an arbitrary request as admin. */
  HttpResponse<String> send(String method, String path, String type, byte[] body)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url() + path))
            .header("Authorization", "Bearer " + ADMIN)
            .header("Content-Type", type)
            .method(method, BodyPublishers.ofByteArray(body))
            .build();
    return http.send(request, BodyHandlers.ofString());
  }

  /** Returns a name that no other test uses. */
  static String freshName() {
    return "n" + COUNT.incrementAndGet();
  }

  /** Creates a client with a cache. */
  NolaClient client(@Nullable String token, Path cache) {
    return NolaClient.builder(url()).token(token).cache(LocalCache.at(cache)).build();
  }

  /** Creates a client of an account that owns the namespace of the same name. */
  NolaClient owner(String namespace, Path cache) throws IOException, InterruptedException {
    NolaClient client = client(token(namespace, Scope.PUBLISH), cache);
    client.namespaces().create(namespace);
    return client;
  }

  /** Returns the server's file of a blob. */
  Path blob(Sha256 digest) {
    String hex = digest.hex();
    return data.resolve("blobs/sha256")
        .resolve(hex.substring(0, 2))
        .resolve(hex.substring(2, 4))
        .resolve(hex);
  }

  @Override
  public void close() throws IOException {
    RUNNING.remove(this);
    http.shutdownNow();
    context.close();
    if (ownsData) {
      FileSystemUtils.deleteRecursively(data);
    }
  }
}
