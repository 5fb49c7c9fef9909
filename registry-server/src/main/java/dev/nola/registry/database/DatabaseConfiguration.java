package dev.nola.registry.database;

import com.zaxxer.hikari.HikariDataSource;
import dev.nola.registry.data.DataDirectory;
import dev.nola.registry.data.StartFailure;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(DatabaseSettings.class)
class DatabaseConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseConfiguration.class);

  /**
   * Short enough that a request fails while its client still waits if the database is unavailable.
   */
  private static final long CONNECTION_TIMEOUT_MILLIS = 5_000;

  /** Time limit of one connection's establishment; a URL may set another. */
  private static final int CONNECT_SECONDS = 5;

  @Bean(destroyMethod = "close")
  @Nullable EmbeddedDatabase embeddedDatabase(DatabaseSettings settings, DataDirectory data) {
    return settings.url() == null
        ? EmbeddedDatabase.start(data.resolve(EmbeddedDatabase.FOLDER), DatabaseConfiguration::end)
        : null;
  }

  /** Ends the process, so that its operator, or a supervisor, notices; with Spring's shutdown. */
  private static void end() {
    Thread.ofPlatform().name("database-lost").start(() -> System.exit(1));
  }

  /** Depends on the embedded database, if there is one, and is therefore closed before it. */
  @Bean(destroyMethod = "close")
  HikariDataSource dataSource(
      DatabaseSettings settings, ObjectProvider<EmbeddedDatabase> embedded) {
    HikariDataSource pool = new HikariDataSource();
    EmbeddedDatabase server = embedded.getIfAvailable();
    if (server == null) {
      pool.setJdbcUrl(settings.url());
      pool.setUsername(settings.username());
      pool.setPassword(settings.password());
      pool.addDataSourceProperty("ApplicationName", "nola-registry");
      pool.addDataSourceProperty("reWriteBatchedInserts", "true");
      pool.addDataSourceProperty("connectTimeout", Integer.toString(CONNECT_SECONDS));
      pool.addDataSourceProperty("loginTimeout", Integer.toString(CONNECT_SECONDS));
      pool.addDataSourceProperty("tcpKeepAlive", "true");
    } else {
      pool.setDataSource(server.connections());
    }
    pool.setPoolName("postgresql");
    pool.setMaximumPoolSize(settings.poolSize());
    pool.setConnectionTimeout(CONNECTION_TIMEOUT_MILLIS);
    requireReachable(pool);
    return pool;
  }

  /** Fails at the start with one sentence, rather than in the first query with a long trace. */
  private static void requireReachable(HikariDataSource pool) {
    try (Connection connection = pool.getConnection()) {
      LOG.debug("connected to {}", connection.getMetaData().getDatabaseProductVersion());
    } catch (SQLException e) {
      pool.close();
      throw new StartFailure(
          "cannot connect to the database: " + e.getMessage(),
          "Check that it is running and that nola.database.url, .username and .password are correct;"
              + " without a URL the server runs its own PostgreSQL.",
          e);
    }
  }
}
