package dev.nola.client.http;

import dev.nola.client.RegistryException.Kind;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** Reads what HTTP itself says about a refusal. */
public final class Refusals {
  private static final int TOO_MANY_REQUESTS = 429;

  private Refusals() {}

  /**
   * Returns the reason that a status stands for.
   *
   * @param status the status of a refusal
   * @return the reason
   */
  public static Kind kind(int status) {
    return switch (status) {
      case 401, 403 -> Kind.NOT_ALLOWED;
      case 404, 410 -> Kind.NOT_FOUND;
      case 409 -> Kind.CONFLICT;
      case 408, TOO_MANY_REQUESTS -> Kind.UNAVAILABLE;
      default -> status >= 500 ? Kind.UNAVAILABLE : Kind.REFUSED;
    };
  }

  /**
   * Returns the pause of {@code Retry-After}, seconds or a date (RFC 9110, 10.2.3).
   *
   * @param headers a refusal's headers
   * @return the pause, or null if none is stated
   */
  public static @Nullable Duration retryAfter(HttpHeaders headers) {
    String text = headers.firstValue("Retry-After").orElse("").strip();
    if (text.matches("\\d{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(text));
    }
    try {
      Instant until = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text));
      Duration wait = Duration.between(Instant.now(), until);
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeException _) {
      return null;
    }
  }
}
