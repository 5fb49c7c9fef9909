package dev.nola.registry.database;

import dev.nola.registry.data.StartCheck;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/**
 * Checks that the database can be reached and has a version that the server works with; of the
 * server's own, that its files have the right version.
 */
@Component
final class DatabaseCheck implements StartCheck {
  private static final int OLDEST_MAJOR = 14;
  private static final String CONNECT_SECONDS = "5";

  private final DatabaseSettings settings;
  private final Path folder;

  DatabaseCheck(DatabaseSettings settings, @Value("${nola.data}") String data) {
    this.settings = settings;
    this.folder = Path.of(data).toAbsolutePath().normalize().resolve(EmbeddedDatabase.FOLDER);
  }

  @Override
  public String subject() {
    return "database";
  }

  @Override
  public String run() {
    String url = settings.url();
    if (url == null) {
      try {
        EmbeddedDatabase.requireVersion(folder);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return "PostgreSQL of the server itself, in " + folder;
    }
    Properties properties = new Properties();
    put(properties, "user", settings.username());
    put(properties, "password", settings.password());
    properties.setProperty("connectTimeout", CONNECT_SECONDS);
    properties.setProperty("loginTimeout", CONNECT_SECONDS);
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      int major = connection.getMetaData().getDatabaseMajorVersion();
      String version = connection.getMetaData().getDatabaseProductVersion();
      if (major < OLDEST_MAJOR) {
        throw failure(
            "PostgreSQL %s is too old; must be %d or later".formatted(version, OLDEST_MAJOR), null);
      }
      requireCreate(connection);
      return "PostgreSQL " + version;
    } catch (SQLException e) {
      throw failure(String.valueOf(e.getMessage()), e);
    }
  }

  /** The first start, and each that brings new tables, creates them in the current schema. */
  private static void requireCreate(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "select current_user, has_schema_privilege(current_schema(), 'create')")) {
      if (row.next() && !row.getBoolean(2)) {
        throw failure(
            "role %s must not create tables in its schema".formatted(row.getString(1)), null);
      }
    }
  }

  private static void put(Properties properties, String key, @Nullable String value) {
    if (value != null) {
      properties.setProperty(key, value);
    }
  }

  private static StartFailure failure(String reason, @Nullable Throwable cause) {
    return new StartFailure(
        "cannot use the database: " + reason,
        "Check that it is running, and nola.database.url, .username and .password.",
        cause);
  }
}
