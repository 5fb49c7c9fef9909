package dev.nola.client;

import dev.nola.api.Violation;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Thrown if a registry does not do what it was asked for; the message is for people. */
public final class RegistryException extends IOException {
  private final Kind kind;
  private final int status;
  private final @Nullable Problem problem;
  private final @Nullable Duration retryAfter;

  /** The reason, as far as a program needs it. */
  public enum Kind {
    /** It does not exist, or the account may not see it: registries do not tell these apart. */
    NOT_FOUND,
    /** It needs a token, or a token with other permissions. */
    NOT_ALLOWED,
    /** It exists already, with other content. */
    CONFLICT,
    /** The request breaks a rule; sent again, it would be refused again. */
    REFUSED,
    /** The registry cannot be reached or is overloaded; the request may succeed later. */
    UNAVAILABLE,
    /** The answer contradicts itself: other bytes than it names, too many, or invalid JSON. */
    BROKEN
  }

  /**
   * A problem that a registry describes (RFC 9457).
   *
   * @param type {@code urn:nola:problem:} and a name that never changes
   * @param title the type's title
   * @param detail the description of this problem
   * @param violations each rule that was broken
   * @param requestId names the request in the registry's log, or null
   */
  public record Problem(
      String type,
      String title,
      String detail,
      List<Violation> violations,
      @Nullable String requestId) {
    /** Copies the list. */
    public Problem {
      violations = List.copyOf(violations);
    }
  }

  /**
   * Creates an exception for an answer that is a refusal.
   *
   * @param kind the reason
   * @param status the answer's HTTP status
   * @param problem the problem that the answer describes, or null
   * @param retryAfter the pause that the registry asks for before another try, or null
   * @param message what failed, and the remedy
   */
  public RegistryException(
      Kind kind,
      int status,
      @Nullable Problem problem,
      @Nullable Duration retryAfter,
      String message) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  private RegistryException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.status = 0;
    this.problem = null;
    this.retryAfter = null;
  }

  /**
   * Creates an exception for a registry that cannot be reached.
   *
   * @param message what failed, and the remedy
   * @param cause the failure of the connection, or null
   * @return the exception, of kind {@link Kind#UNAVAILABLE}
   */
  public static RegistryException unavailable(String message, @Nullable Throwable cause) {
    return new RegistryException(Kind.UNAVAILABLE, message, cause);
  }

  /**
   * Creates an exception for an answer that contradicts itself or the protocol.
   *
   * @param message what is wrong with the answer
   * @return the exception, of kind {@link Kind#BROKEN}
   */
  public static RegistryException broken(String message) {
    return new RegistryException(Kind.BROKEN, message, null);
  }

  /**
   * Returns the kind of the failure.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Returns the HTTP status.
   *
   * @return the status, or 0 if the failure is not a response's status
   */
  public int status() {
    return status;
  }

  /**
   * Returns the problem that the registry described.
   *
   * @return the problem, or null if the response had none that can be read
   */
  public @Nullable Problem problem() {
    return problem;
  }

  /**
   * Returns the pause that the registry asks for before another try.
   *
   * @return the pause, or null if it asks for none
   */
  public @Nullable Duration retryAfter() {
    return retryAfter;
  }

  /**
   * Returns each rule that was broken.
   *
   * @return the violations; empty if the failure is not about rules
   */
  public List<Violation> violations() {
    return problem == null ? List.of() : problem.violations();
  }
}
