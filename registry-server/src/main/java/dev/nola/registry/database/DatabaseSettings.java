package dev.nola.registry.database;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the connection to PostgreSQL.
 *
 * @param url JDBC URL of a PostgreSQL 14 or later, such as {@code
 *     jdbc:postgresql://db.internal/nola}; without it the server runs its own PostgreSQL
 * @param username role that owns the database's schema; goes with the URL
 * @param password that role's password; goes with the URL
 * @param poolSize connections to keep at most
 */
@ConfigurationProperties("nola.database")
record DatabaseSettings(
    @Nullable String url,
    @Nullable String username,
    @Nullable String password,
    @DefaultValue("20") int poolSize) {

  private static final String PREFIX = "jdbc:postgresql:";

  /**
   * @throws IllegalArgumentException if the URL is not one of PostgreSQL's, or the pool is empty
   */
  DatabaseSettings {
    url = blankToNull(url);
    if (url != null && !url.startsWith(PREFIX)) {
      // The URL itself may hold a password: it stays out of the message.
      throw new IllegalArgumentException("nola.database.url must begin with " + PREFIX);
    }
    if (poolSize < 1) {
      throw new IllegalArgumentException(
          "invalid nola.database.pool-size: " + poolSize + "; must be at least 1");
    }
  }

  private static @Nullable String blankToNull(@Nullable String text) {
    return text == null || text.isBlank() ? null : text;
  }
}
