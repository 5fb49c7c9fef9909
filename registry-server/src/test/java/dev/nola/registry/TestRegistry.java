package dev.nola.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.util.FileSystemUtils;

/** A real server on a free port of the loopback address, with a real database and directory. */
final class TestRegistry implements AutoCloseable {
  static final String ADMIN = "test-admin-token-of-enough-characters";

  private final ConfigurableApplicationContext context;
  private final TestDatabase database;
  private final Path data;

  private TestRegistry(ConfigurableApplicationContext context, TestDatabase database, Path data) {
    this.context = context;
    this.database = database;
    this.data = data;
  }

  /** The server that tests share which need no settings of their own; ended with the JVM. */
  private static final class Shared {
    static final TestRegistry REGISTRY = start();

    private static TestRegistry start() {
      try {
        TestRegistry registry = TestRegistry.start();
        TestDatabase.beforeStop(registry::close);
        return registry;
      } catch (IOException | SQLException e) {
        throw new AssertionError(e);
      }
    }
  }

  static TestRegistry shared() {
    return Shared.REGISTRY;
  }

  /** Starts a server of its own, with settings such as {@code nola.access.anonymous-read=false}. */
  static TestRegistry start(String... settings) throws IOException, SQLException {
    return start(TestDatabase.create(), Files.createTempDirectory("nola-registry"), settings);
  }

  static TestRegistry start(TestDatabase database, Path data, String... settings) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("server.port", "0");
    all.put("nola.data", data.toString());
    all.put("nola.database.url", database.url());
    all.put("nola.database.username", database.username());
    all.put("nola.access.admin-token", ADMIN);
    all.put("nola.access.anonymous-requests-per-minute", "1000000");
    all.put("nola.access.requests-per-minute", "1000000");
    all.put("nola.access.namespaces-per-account", "1000000");
    all.put("nola.webhooks.allow-http", "true");
    all.put("nola.webhooks.allowed-networks", "127.0.0.1");
    all.put("nola.webhooks.retries", "10ms,10ms");
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      all.put(setting.substring(0, equals), setting.substring(equals + 1));
    }
    String[] arguments =
        all.entrySet().stream()
            .map(e -> "--" + e.getKey() + "=" + e.getValue())
            .toArray(String[]::new);
    SpringApplication application = new SpringApplication(RegistryServer.class);
    application.setRegisterShutdownHook(false); // its end comes before the database's
    return new TestRegistry(application.run(arguments), database, data);
  }

  int port() {
    return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port"));
  }

  TestDatabase database() {
    return database;
  }

  Path data() {
    return data;
  }

  <T> Collection<T> beans(Class<T> type) {
    return context.getBeansOfType(type).values();
  }

  TestClient admin() {
    return anonymous().with(ADMIN);
  }

  TestClient anonymous() {
    return new TestClient("http://127.0.0.1:" + port(), null);
  }

  /** Every file of the blob store, half-written ones included. */
  List<Path> blobFiles() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("blobs"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  /** For another server to go on with its database and directory. */
  void closeKeepingData() {
    context.close();
  }

  @Override
  public void close() {
    context.close();
    try {
      FileSystemUtils.deleteRecursively(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
