package dev.nola.registry.web;

import dev.nola.api.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * Thrown to refuse a request for a reason that the client should see. Becomes a problem detail (RFC
 * 9457) whose type is {@code urn:nola:problem:} and a stable name.
 */
public final class Refusal extends RuntimeException {
  private final HttpStatus status;
  private final String type;
  private final List<Violation> violations;
  private final @Nullable Duration retryAfter;
  private final Map<String, String> headers;

  private Refusal(
      HttpStatus status,
      String type,
      String detail,
      List<Violation> violations,
      @Nullable Duration retryAfter,
      Map<String, String> headers) {
    super(detail, null, false, false); // no fault of this program: its stack is of no use
    this.status = status;
    this.type = type;
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
    this.headers = Map.copyOf(headers);
  }

  /**
   * Creates a refusal for one reason.
   *
   * @param status of the response
   * @param type stable name of the problem
   * @param detail one line for the client
   * @return the refusal
   */
  public static Refusal of(HttpStatus status, String type, String detail) {
    return new Refusal(status, type, detail, List.of(), null, Map.of());
  }

  /**
   * Creates the refusal of something that is absent, or that the caller must not see: both look the
   * same.
   *
   * @param resource its kind and name, such as {@code alias stable of ann/mood}
   * @return a refusal with status 404
   */
  public static Refusal notFound(String resource) {
    return of(HttpStatus.NOT_FOUND, "not-found", resource + " not found");
  }

  /**
   * Creates the refusal of something that the caller may know of, but not do.
   *
   * @param detail one line for the client
   * @return a refusal with status 403
   */
  public static Refusal forbidden(String detail) {
    return of(HttpStatus.FORBIDDEN, "forbidden", detail);
  }

  /**
   * Creates the refusal of a request that needs a token, or another one.
   *
   * @param detail one line for the client
   * @return a refusal with status 401
   */
  public static Refusal unauthenticated(String detail) {
    return of(HttpStatus.UNAUTHORIZED, "unauthenticated", detail);
  }

  /**
   * Creates the refusal of one value that breaks a rule.
   *
   * @param field that has the value
   * @param rule the value and the rule
   * @return a refusal with status 422
   */
  public static Refusal invalid(String field, String rule) {
    return invalid(List.of(new Violation(field, rule)));
  }

  /**
   * Creates the refusal of values that break rules.
   *
   * @param violations all of them; at least one
   * @return a refusal with status 422
   */
  public static Refusal invalid(List<Violation> violations) {
    String detail =
        violations.size() == 1
            ? violations.getFirst().rule()
            : violations.size() + " values are invalid; see violations";
    return new Refusal(
        HttpStatus.UNPROCESSABLE_CONTENT, "invalid", detail, violations, null, Map.of());
  }

  /**
   * Creates the refusal of a request that exceeds a rate limit.
   *
   * @param detail one line for the client
   * @param retryAfter when the same request may succeed
   * @return a refusal with status 429
   */
  public static Refusal tooMany(String detail, Duration retryAfter) {
    return new Refusal(
        HttpStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, List.of(), retryAfter, Map.of());
  }

  /**
   * Creates the refusal of a request that the server cannot process now.
   *
   * @param detail one line for the client
   * @param retryAfter when the same request may succeed
   * @return a refusal with status 503
   */
  public static Refusal unavailable(String detail, Duration retryAfter) {
    return new Refusal(
        HttpStatus.SERVICE_UNAVAILABLE, "unavailable", detail, List.of(), retryAfter, Map.of());
  }

  /**
   * Returns the same refusal with headers.
   *
   * @param more headers of the response, by name; their values in ASCII
   * @return a copy
   */
  public Refusal withHeaders(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(headers);
    all.putAll(more);
    return new Refusal(status, type, String.valueOf(getMessage()), violations, retryAfter, all);
  }

  /**
   * Returns whether what was requested does not exist for the caller.
   *
   * @return whether the status is 404
   */
  public boolean isNotFound() {
    return status == HttpStatus.NOT_FOUND;
  }

  /**
   * Returns whether the same request may succeed later.
   *
   * @return whether the status is 429, 503 or 507
   */
  public boolean isTransient() {
    return status == HttpStatus.TOO_MANY_REQUESTS
        || status == HttpStatus.SERVICE_UNAVAILABLE
        || status == HttpStatus.INSUFFICIENT_STORAGE;
  }

  HttpStatus status() {
    return status;
  }

  String type() {
    return type;
  }

  /** What {@code WWW-Authenticate} says (RFC 6750), if anything. */
  Optional<String> challenge() {
    return status == HttpStatus.UNAUTHORIZED
        ? Optional.of("Bearer realm=\"nola\"")
        : Optional.empty();
  }

  /**
   * Returns a value for a message.
   *
   * @param value of a request
   * @return the value; an empty one in quotes, since it could not be seen
   */
  public static String shown(@Nullable String value) {
    return "".equals(value) ? "\"\"" : String.valueOf(value);
  }

  Map<String, String> headers() {
    return headers;
  }

  List<Violation> violations() {
    return violations;
  }

  @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
