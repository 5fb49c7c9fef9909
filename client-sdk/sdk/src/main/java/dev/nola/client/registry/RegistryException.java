package dev.nola.client.registry;

import dev.nola.api.Violation;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a registry did not do; the message is for people. */
public final class RegistryException extends IOException {
  private final Kind kind;
  private final int status;
  private final @Nullable Problem problem;

  /** Why, as far as a program may care. */
  public enum Kind {
    /** It is not there, or must not be seen: registries do not tell these apart. */
    NOT_FOUND,
    /** It needs a token, or another one. */
    NOT_ALLOWED,
    /** It is there already, and differs. */
    CONFLICT,
    /** The request breaks a rule; sent again, it would be refused again. */
    REFUSED,
    /** The registry cannot be reached or has too much to do; later it may work. */
    UNAVAILABLE,
    /** The registry does not do as it says: other bytes than it names, too many, no sound JSON. */
    BROKEN
  }

  /**
   * What the registry said of it (RFC 9457).
   *
   * @param type {@code urn:nola:problem:} and a name that does not change
   * @param title of the type
   * @param detail of this problem
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

  RegistryException(
      Kind kind, int status, @Nullable Problem problem, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.status = status;
    this.problem = problem;
  }

  static RegistryException unavailable(String message, @Nullable Throwable cause) {
    return new RegistryException(Kind.UNAVAILABLE, 0, null, message, cause);
  }

  static RegistryException broken(String message) {
    return new RegistryException(Kind.BROKEN, 0, null, message, null);
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
   * Returns each rule that was broken.
   *
   * @return the violations; empty if the failure is not about rules
   */
  public List<Violation> violations() {
    return problem == null ? List.of() : problem.violations();
  }
}
