package dev.nola.registry.database;

import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.data.StartFailure;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.FileSystemUtils;

/**
 * A PostgreSQL that belongs to this process and keeps its files in the data directory: for one
 * machine, without replicas.
 *
 * <p>It listens on the loopback address only, asks for a password (SCRAM), and loses no
 * acknowledged transaction in a crash. The application works as a role that is not a superuser. The
 * folder holds {@code cluster/} (PostgreSQL's own files), {@code connection.properties} (port and
 * passwords, for the owner's eyes only) and {@code log}.
 */
final class EmbeddedDatabase {
  /** The application's role and database. */
  static final String ROLE = "nola";

  /** The major version of the PostgreSQL that the parent POM names. */
  private static final String VERSION = "18";

  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDatabase.class);
  private static final Duration START_WAIT = Duration.ofSeconds(60);

  private final EmbeddedPostgres postgres;
  private final int port;
  private final String password;

  private EmbeddedDatabase(EmbeddedPostgres postgres, int port, String password) {
    this.postgres = postgres;
    this.port = port;
    this.password = password;
  }

  /**
   * Starts the database, which is made if the folder has none. If a killed process left it running,
   * it is taken over.
   *
   * @throws StartFailure if it cannot be started, with what to do about it
   */
  static EmbeddedDatabase start(Path folder) {
    try {
      DataDirectory.createPrivate(folder);
      Path cluster = folder.resolve("cluster");
      requireVersion(cluster);
      Path connection = folder.resolve("connection.properties");
      Properties known = read(connection);
      if (known.getProperty("complete") == null) {
        // A first start that was interrupted: nothing can have been stored yet.
        FileSystemUtils.deleteRecursively(cluster);
        known.setProperty("port", Integer.toString(freePort()));
        known.setProperty("superuser-password", DataDirectory.randomSecret());
        known.setProperty("password", DataDirectory.randomSecret());
        write(connection, known);
      } else if (!Files.exists(cluster.resolve("postmaster.pid")) && !isFree(port(known))) {
        // It is not running, so its files can be moved.
        known.setProperty("port", Integer.toString(freePort()));
        write(connection, known);
      }
      EmbeddedPostgres postgres = launch(folder, cluster, known);
      if (known.getProperty("complete") == null) {
        createRole(postgres, known.getProperty("password"));
        known.setProperty("complete", "true");
        write(connection, known);
      }
      LOG.info(
          "PostgreSQL runs within this server, on port {} with its files in {}; this is for a"
              + " single machine only: set nola.database.url to run more servers",
          port(known),
          cluster);
      return new EmbeddedDatabase(postgres, port(known), known.getProperty("password"));
    } catch (IOException | SQLException | IllegalStateException e) {
      throw failure(folder, e);
    }
  }

  String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + ROLE;
  }

  String password() {
    return password;
  }

  void close() throws IOException {
    postgres.close();
  }

  /** Refuses files of another version at once; PostgreSQL itself would take a minute. */
  private static void requireVersion(Path cluster) throws IOException {
    Path file = cluster.resolve("PG_VERSION");
    if (!Files.exists(file)) {
      return;
    }
    String version = Files.readString(file).strip();
    if (!version.equals(VERSION)) {
      throw new StartFailure(
          "the database in %s was written by PostgreSQL %s; this server has PostgreSQL %s"
              .formatted(cluster, version, VERSION),
          "Back it up with the Nola version that wrote it, and restore it into an empty data"
              + " directory: see \"Backup and restore\" in the server's README.",
          null);
    }
  }

  private static EmbeddedPostgres launch(Path folder, Path cluster, Properties known)
      throws IOException {
    Path superuserPassword = folder.resolve("superuser-password");
    DataDirectory.writePrivate(superuserPassword, known.getProperty("superuser-password"));
    try {
      ProcessBuilder.Redirect log =
          ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile());
      return EmbeddedPostgres.builder()
          .setDataDirectory(cluster)
          .setCleanDataDirectory(false)
          .setOverrideWorkingDirectory(binaries().toFile())
          .setRegisterShutdownHook(false)
          .setPort(port(known))
          .setPGStartupWait(START_WAIT)
          .setOutputRedirector(log)
          .setErrorRedirector(log)
          .setLocaleConfig("auth", "scram-sha-256")
          .setLocaleConfig("pwfile", superuserPassword.toString())
          .setLocaleConfig("locale", "C.UTF-8")
          .setConnectConfig("password", known.getProperty("superuser-password"))
          .setServerConfig("listen_addresses", "127.0.0.1")
          .setServerConfig("unix_socket_directories", "")
          .setServerConfig("max_connections", "100")
          .setServerConfig("fsync", "on")
          .setServerConfig("synchronous_commit", "on")
          .start();
    } finally {
      Files.deleteIfExists(superuserPassword);
    }
  }

  /** Unpacks the programs; private to the user, so that no other user can replace them. */
  private static Path binaries() throws IOException {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base =
        cache == null || cache.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return DataDirectory.createPrivate(base.resolve("nola").resolve("postgres"));
  }

  private static void createRole(EmbeddedPostgres postgres, String password) throws SQLException {
    try (Connection connection = postgres.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      // The password is hexadecimal, and so needs no quoting. The role may be left of a start that
      // was interrupted after this.
      statement.execute(
          "do $$ begin if not exists (select from pg_roles where rolname = '%s') then create role %s login; end if; end $$"
              .formatted(ROLE, ROLE));
      statement.execute("alter role %s password '%s'".formatted(ROLE, password));
      if (!exists(statement)) {
        statement.execute("create database %s owner %s".formatted(ROLE, ROLE));
      }
    }
  }

  private static boolean exists(Statement statement) throws SQLException {
    try (ResultSet database =
        statement.executeQuery("select from pg_database where datname = '" + ROLE + "'")) {
      return database.next();
    }
  }

  private static StartFailure failure(Path folder, Exception cause) {
    String why = String.valueOf(cause.getMessage());
    String advice =
        "Its log is %s. If this machine does not let the current user run PostgreSQL (root needs"
            + " `unshare`, which some containers deny), run the server as another user, or give it"
            + " a database with nola.database.url.";
    return new StartFailure(
        "the server's own PostgreSQL in " + folder + " does not start: " + why,
        advice.formatted(folder.resolve("log")),
        cause);
  }

  private static int port(Properties known) {
    return Integer.parseInt(known.getProperty("port"));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException _) {
      return false;
    }
  }

  private static Properties read(Path file) throws IOException {
    Properties properties = new Properties();
    if (Files.exists(file)) {
      try (Reader in = Files.newBufferedReader(file)) {
        properties.load(in);
      }
    }
    return properties;
  }

  private static void write(Path file, Properties properties) throws IOException {
    StringWriter text = new StringWriter();
    properties.store(text, "The server's own PostgreSQL. Keep it secret.");
    DataDirectory.writePrivate(file, text.toString());
  }
}
