package dev.nola.registry.database;

import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.data.StartFailure;
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
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
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
  /** Name of its folder within the data directory. */
  static final String FOLDER = "postgres";

  private static final String CLUSTER = "cluster";

  /** The application's role and database. */
  static final String ROLE = "nola";

  /** The major version of the PostgreSQL that the parent POM names. */
  private static final String VERSION = "18";

  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedDatabase.class);
  private static final int MAX_PORTS = 3;
  private static final int MAX_RESTARTS = 10;
  private static final Duration RESTART_WAIT = Duration.ofSeconds(1);
  private static final Duration TAKE_OVER = Duration.ofSeconds(60);
  private static final Duration TAKE_OVER_POLL = Duration.ofMillis(100);

  /** SQLSTATE of a database that begins or ends. */
  private static final String CANNOT_CONNECT_NOW = "57P03";

  private static final int CONNECT_SECONDS = 5;
  private static final int ANSWER_SECONDS = 60;

  private final PostgresPrograms programs;
  private final Path folder;
  private final Properties known;
  private final Runnable lost;
  private final PGSimpleDataSource connections = new PGSimpleDataSource();
  private Postmaster postmaster;
  private boolean closed;

  private EmbeddedDatabase(
      PostgresPrograms programs,
      Path folder,
      Properties known,
      Postmaster postmaster,
      Runnable lost) {
    this.programs = programs;
    this.folder = folder;
    this.known = known;
    this.postmaster = postmaster;
    this.lost = lost;
    configure(connections, postmaster.port());
    connections.setDatabaseName(ROLE);
    connections.setUser(ROLE);
    connections.setPassword(known.getProperty("password"));
    connections.setApplicationName("nola-registry");
    connections.setReWriteBatchedInserts(true);
  }

  /**
   * Starts the database, which is made if the folder has none. If a killed process left it running,
   * it is taken over.
   *
   * @param folder that it keeps its files in
   * @param lost called if it has ended and cannot be started again
   * @throws StartFailure if it cannot be started, with what to do about it
   */
  static EmbeddedDatabase start(Path folder, Runnable lost) {
    try {
      DataDirectory.createPrivate(folder);
      requireVersion(folder);
      Path connection = folder.resolve("connection.properties");
      Properties known = read(connection);
      PostgresPrograms programs = PostgresPrograms.unpack(folder.resolve("programs"));
      if (known.getProperty("complete") == null) {
        create(programs, folder, known);
      }
      Postmaster postmaster = launch(programs, folder, known);
      if (known.getProperty("complete") == null) {
        createRole(postmaster.port(), known);
        known.setProperty("complete", "true");
        write(connection, known);
      }
      LOG.info(
          "PostgreSQL runs within this server, on port {} with its files in {}; this is for a"
              + " single machine only: set nola.database.url to run more servers",
          postmaster.port(),
          folder.resolve(CLUSTER));
      EmbeddedDatabase database = new EmbeddedDatabase(programs, folder, known, postmaster, lost);
      database.watch();
      return database;
    } catch (IOException | SQLException e) {
      throw failure(folder, e);
    }
  }

  /** Returns a source of connections, which follows the database to another port. */
  DataSource connections() {
    return connections;
  }

  void close() throws IOException {
    synchronized (this) {
      closed = true;
    }
    postmaster.stop(programs, folder.resolve(CLUSTER), folder.resolve("log"));
  }

  /** Starts PostgreSQL again when it ends: an operator, or the system, may have killed it. */
  private void watch() {
    ProcessHandle process = postmaster.process();
    process.onExit().thenRunAsync(this::restart, run -> Thread.ofVirtual().start(run));
  }

  private synchronized void restart() {
    if (closed) {
      return;
    }
    LOG.error("PostgreSQL has ended, and is started again; its log is {}", folder.resolve("log"));
    for (int attempt = 1; attempt <= MAX_RESTARTS; attempt++) {
      try {
        postmaster = launch(programs, folder, known);
        connections.setPortNumbers(new int[] {postmaster.port()});
        LOG.warn("PostgreSQL runs again, on port {}", postmaster.port());
        watch();
        return;
      } catch (IOException | SQLException e) {
        // The processes of the one before may still be ending.
        LOG.error("PostgreSQL does not start again, attempt {}: {}", attempt, e.getMessage());
      }
      try {
        wait(RESTART_WAIT.toMillis());
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
      if (closed) {
        return;
      }
    }
    LOG.error("PostgreSQL has ended and does not start again: the server ends");
    lost.run();
  }

  /** Makes the cluster; one of a first start that was interrupted cannot have stored anything. */
  private static void create(PostgresPrograms programs, Path folder, Properties known)
      throws IOException {
    Path cluster = folder.resolve(CLUSTER);
    Optional<Postmaster> running =
        Files.isDirectory(cluster) ? Postmaster.find(cluster) : Optional.empty();
    if (running.isPresent()) {
      running.get().stop(programs, cluster, folder.resolve("log"));
    }
    FileSystemUtils.deleteRecursively(cluster);
    known.setProperty("port", Integer.toString(freePort()));
    known.setProperty("superuser-password", DataDirectory.randomSecret());
    known.setProperty("password", DataDirectory.randomSecret());
    write(folder.resolve("connection.properties"), known);
    Path superuserPassword = folder.resolve("superuser-password");
    DataDirectory.writePrivate(superuserPassword, known.getProperty("superuser-password"));
    Path log = folder.resolve("log");
    long begin = Files.exists(log) ? Files.size(log) : 0;
    try {
      int code =
          programs.run(
              log,
              cluster,
              "initdb",
              "--username=postgres",
              "--encoding=UTF-8",
              "--locale=C.UTF-8",
              "--auth=scram-sha-256",
              "--pwfile=" + superuserPassword);
      if (code != 0) {
        throw new IOException(Postmaster.tail(log, begin));
      }
    } finally {
      Files.deleteIfExists(superuserPassword);
    }
  }

  /** Takes the running process over, or starts one, on another port if its own is taken. */
  private static Postmaster launch(PostgresPrograms programs, Path folder, Properties known)
      throws IOException, SQLException {
    Path cluster = folder.resolve(CLUSTER);
    Optional<Postmaster> running = takeOver(cluster, known);
    if (running.isPresent()) {
      return running.get();
    }
    Postmaster.releaseStaleLock(cluster);
    for (int attempt = 1; ; attempt++) {
      if (!isFree(port(known))) {
        known.setProperty("port", Integer.toString(freePort()));
        write(folder.resolve("connection.properties"), known);
      }
      try {
        Postmaster started =
            Postmaster.start(programs, cluster, port(known), folder.resolve("log"));
        requireAnswer(started.port(), known);
        return started;
      } catch (IOException e) {
        if (attempt == MAX_PORTS || isFree(port(known))) {
          throw e;
        }
      }
    }
  }

  /** Finds a running process; waits for one that begins or ends, as its server left it. */
  private static Optional<Postmaster> takeOver(Path cluster, Properties known)
      throws IOException, SQLException {
    long end = System.nanoTime() + TAKE_OVER.toNanos();
    Optional<Postmaster> running = Postmaster.find(cluster);
    while (running.isPresent()) {
      try {
        requireAnswer(running.get().port(), known);
        return running;
      } catch (SQLException e) {
        boolean isChanging =
            CANNOT_CONNECT_NOW.equals(e.getSQLState()) || !running.get().process().isAlive();
        if (!isChanging || System.nanoTime() > end) {
          throw e;
        }
      }
      LockSupport.parkNanos(TAKE_OVER_POLL.toNanos());
      running = Postmaster.find(cluster);
    }
    return running;
  }

  private static void requireAnswer(int port, Properties known) throws SQLException {
    try (Connection connection = superuser(port, known).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("select 1");
    }
  }

  private static DataSource superuser(int port, Properties known) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    configure(source, port);
    source.setDatabaseName("postgres");
    source.setUser("postgres");
    source.setPassword(known.getProperty("superuser-password"));
    source.setSocketTimeout(ANSWER_SECONDS);
    return source;
  }

  /** No connection waits for ever for a process that is silent. */
  private static void configure(PGSimpleDataSource source, int port) {
    source.setServerNames(new String[] {"127.0.0.1"});
    source.setPortNumbers(new int[] {port});
    source.setConnectTimeout(CONNECT_SECONDS);
    source.setLoginTimeout(CONNECT_SECONDS);
  }

  /** Refuses files of another version at once; PostgreSQL itself would take a minute. */
  static void requireVersion(Path folder) throws IOException {
    Path cluster = folder.resolve(CLUSTER);
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

  private static void createRole(int port, Properties known) throws SQLException {
    String password = known.getProperty("password");
    try (Connection connection = superuser(port, known).getConnection();
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
    String reason = String.valueOf(cause.getMessage());
    String advice =
        reason.contains("could not look up effective user ID")
            ? "PostgreSQL needs the current user to have an entry in /etc/passwd: add one (in"
                + " OpenShift with a project's fixed user id, or nss_wrapper), run the server as"
                + " another user, or give it a database with nola.database.url."
            : "Its log is %s. If this machine does not let the current user run PostgreSQL (root"
                + " needs `unshare`, which some containers deny), run the server as another user,"
                + " or give it a database with nola.database.url.";
    return new StartFailure(
        "the server's own PostgreSQL in " + folder + " does not start: " + reason,
        advice.replace("%s", folder.resolve("log").toString()),
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
