package dev.nola.client.http;

import java.time.Duration;

/**
 * How long to wait.
 *
 * @param connect for a connection
 * @param request for an answer to begin, and for each next byte of a body
 * @param rate at which files must come
 */
public record Timeouts(Duration connect, Duration request, MinimumRate rate) {
  /**
   * Waits 10 seconds for a connection and 60 for an answer; requires 1,024 bytes a second of files.
   */
  public static final Timeouts STANDARD =
      new Timeouts(
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          new MinimumRate(1_024, Duration.ofMinutes(1)));
}
