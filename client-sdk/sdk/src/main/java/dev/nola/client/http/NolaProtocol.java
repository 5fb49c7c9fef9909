package dev.nola.client.http;

import dev.nola.api.Violation;
import dev.nola.api.json.NolaModule;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Problem;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Requests to a Nola registry carry a token that never changes; its refusals bring problem details
 * (RFC 9457).
 */
public final class NolaProtocol implements RegistryProtocol {
  private static final JsonMapper JSON = NolaModule.mapper();
  private static final int MAX_PROBLEM = 64 << 10;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int PROXY_LOGIN = 407;

  private final URI registry;
  private final @Nullable String token;
  private final @Nullable String tokenHint;
  private final Duration timeout;

  /**
   * Creates the protocol of one registry.
   *
   * @param registry the registry's normalized URL
   * @param token the token to send, or null for anonymous access
   * @param tokenHint the remedy that a message about a refused token names; null for how to log in
   * @param timeout for all of the problem details
   */
  public NolaProtocol(
      URI registry, @Nullable String token, @Nullable String tokenHint, Duration timeout) {
    this.registry = registry;
    this.token = token;
    this.tokenHint = tokenHint;
    this.timeout = timeout;
  }

  @Override
  public URI registry() {
    return registry;
  }

  @Override
  public @Nullable String authorization() {
    return token == null ? null : "Bearer " + token;
  }

  /** A token that was refused once is refused again. */
  @Override
  public boolean meet(Answer challenge) {
    return false;
  }

  @Override
  public RegistryException refusal(Call call, Answer answer, String route)
      throws InterruptedException {
    int status = answer.status();
    Problem problem = problem(answer);
    Duration retryAfter = Refusals.retryAfter(answer.headers());
    String detail =
        problem == null || problem.detail().isEmpty()
            ? "%s%s answered %s with status %d".formatted(registry, route, call, status)
            : describe(problem);
    String remedy = remedy(status, problem, retryAfter, !route.isEmpty());
    return new RegistryException(
        Refusals.kind(status),
        status,
        problem,
        retryAfter,
        remedy == null ? detail : detail + "; " + remedy);
  }

  private @Nullable String remedy(
      int status, @Nullable Problem problem, @Nullable Duration retryAfter, boolean isProxied) {
    boolean isAnonymous = token == null;
    return switch (status) {
      case 401 -> tokenRemedy();
      case 403 ->
          problem == null && isProxied
              ? "the proxy may have answered for it"
              : isAnonymous || tokenHint != null ? tokenRemedy() : null;
      case PROXY_LOGIN ->
          "the proxy requires a login: name it as http://USER:PASSWORD@HOST:PORT; only the scheme Basic is supported";
      case 404 -> isAnonymous ? tokenRemedy() : null;
      case TOO_MANY_REQUESTS ->
          retryAfter == null
              ? "try again later"
              : "try again in %d seconds".formatted((retryAfter.toMillis() + 999) / 1000);
      default ->
          status >= 500 && problem != null && problem.requestId() != null
              ? "for details, see the log of %s for request %s"
                  .formatted(registry, problem.requestId())
              : null;
    };
  }

  /** Returns the remedy for a token that is missing or refused. */
  private String tokenRemedy() {
    return tokenHint == null ? "log in with: nola login --registry " + registry : tokenHint;
  }

  private static String describe(Problem problem) {
    if (problem.violations().size() < 2) {
      return problem.detail();
    }
    StringBuilder all = new StringBuilder();
    all.append(problem.violations().size()).append(" values are invalid:");
    for (Violation violation : problem.violations()) {
      all.append("\n  ").append(violation.rule());
    }
    return all.toString();
  }

  /** Returns the problem that the answer describes, or null if that cannot be read. */
  private @Nullable Problem problem(Answer answer) throws InterruptedException {
    if (!answer.header("Content-Type").orElse("").startsWith("application/problem+json")) {
      return null;
    }
    try {
      JsonNode json = JSON.readTree(answer.body().readAll(MAX_PROBLEM, timeout));
      String title = text(json, "title");
      String detail = text(json, "detail");
      String id = text(json, "requestId");
      return new Problem(
          text(json, "type"),
          title,
          detail.isEmpty() ? title : detail,
          json.path("violations")
              .valueStream()
              .map(each -> new Violation(text(each, "field"), text(each, "rule")))
              .toList(),
          id.isEmpty() ? null : id);
    } catch (JacksonException | IOException _) {
      return null; // the status alone is reported
    }
  }

  private static String text(JsonNode json, String property) {
    return RegistryText.printable(json.path(property).asString(""));
  }
}
