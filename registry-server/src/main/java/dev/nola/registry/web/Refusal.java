package dev.nola.registry.web;

import dev.nola.api.Violation;
import java.time.Duration;
import java.util.List;
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

  private Refusal(
      HttpStatus status,
      String type,
      String detail,
      List<Violation> violations,
      @Nullable Duration retryAfter) {
    super(detail, null, false, false); // no fault of this program: its stack is of no use
    this.status = status;
    this.type = type;
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
  }

  /** A request refused for one reason. */
  public static Refusal of(HttpStatus status, String type, String detail) {
    return new Refusal(status, type, detail, List.of(), null);
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

  /** Something that the caller may know of, but not do. */
  public static Refusal forbidden(String detail) {
    return of(HttpStatus.FORBIDDEN, "forbidden", detail);
  }

  /** A caller that must show a token, or another one. */
  public static Refusal unauthenticated(String detail) {
    return of(HttpStatus.UNAUTHORIZED, "unauthenticated", detail);
  }

  /** A value that breaks a rule. */
  public static Refusal invalid(String field, String rule) {
    return invalid(List.of(new Violation(field, rule)));
  }

  /** Values that break rules, all of them. */
  public static Refusal invalid(List<Violation> violations) {
    String detail =
        violations.size() == 1
            ? violations.getFirst().rule()
            : violations.size() + " values are invalid; see violations";
    return new Refusal(HttpStatus.UNPROCESSABLE_CONTENT, "invalid", detail, violations, null);
  }

  /** Too much in too short a time. */
  public static Refusal tooMany(String detail, Duration retryAfter) {
    return new Refusal(
        HttpStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, List.of(), retryAfter);
  }

  /** What the server cannot do just now. */
  public static Refusal unavailable(String detail, Duration retryAfter) {
    return new Refusal(
        HttpStatus.SERVICE_UNAVAILABLE, "unavailable", detail, List.of(), retryAfter);
  }

  /** Whether the same request may be carried out a little later. */
  public boolean isTransient() {
    return status == HttpStatus.TOO_MANY_REQUESTS || status == HttpStatus.SERVICE_UNAVAILABLE;
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

  List<Violation> violations() {
    return violations;
  }

  @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
