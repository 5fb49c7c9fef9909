package dev.nola.registry;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/** One PostgreSQL for all tests of a run, and a database of its own in it for each server. */
final class TestDatabase {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name;

  private TestDatabase(String name) {
    this.name = name;
  }

  /** Started once, ended with the JVM. It need not survive a crash, so it does not sync. */
  private static final class Cluster {
    static final EmbeddedPostgres POSTGRES = start();
    static final Deque<Runnable> BEFORE_STOP = new ConcurrentLinkedDeque<>();

    static {
      Runtime.getRuntime().addShutdownHook(new Thread(Cluster::stop));
    }

    private static void stop() {
      BEFORE_STOP.forEach(Runnable::run);
      try {
        POSTGRES.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static EmbeddedPostgres start() {
      try {
        return EmbeddedPostgres.builder()
            .setRegisterShutdownHook(false)
            .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
            .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
            .start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static TestDatabase create() throws SQLException {
    TestDatabase database = new TestDatabase("registry" + COUNT.incrementAndGet());
    executeFromOutside("create database " + database.name);
    return database;
  }

  /** What must be ended, when the JVM is, while there is a database still. */
  static void beforeStop(Runnable end) {
    Cluster.BEFORE_STOP.add(end);
  }

  String url() {
    return "jdbc:postgresql://localhost:%d/%s".formatted(Cluster.POSTGRES.getPort(), name);
  }

  String username() {
    return "postgres";
  }

  Connection connect() throws SQLException {
    return Cluster.POSTGRES.getDatabase(username(), name).getConnection();
  }

  /** Runs a statement, as someone would who goes behind the server's back. */
  void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Ends all connections, and lets no new one in. */
  void cutOff() throws SQLException {
    executeFromOutside("alter database " + name + " allow_connections false");
    endConnections();
  }

  /** Ends all connections, as a network that fails would; new ones can be made at once. */
  void endConnections() throws SQLException {
    executeFromOutside(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'");
  }

  /** Undoes {@link #cutOff}. */
  void reconnect() throws SQLException {
    executeFromOutside("alter database " + name + " allow_connections true");
  }

  private static void executeFromOutside(String sql) throws SQLException {
    try (Connection connection = Cluster.POSTGRES.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The first column of the first row. */
  long count(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
