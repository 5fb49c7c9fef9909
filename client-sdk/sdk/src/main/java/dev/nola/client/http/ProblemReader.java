package dev.nola.client.http;

import dev.nola.api.Violation;
import dev.nola.api.json.NolaModule;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.RegistryException.Problem;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Turns a registry's refusals into exceptions, with its problem details (RFC 9457) and a remedy.
 */
final class ProblemReader {
  private static final JsonMapper JSON = NolaModule.mapper();
  private static final int MAX_PROBLEM = 64 << 10;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int PROXY_LOGIN = 407;

  private final RegistryAccess access;
  private final Network network;
  private final Duration timeout;

  /**
   * @param network the way to the registry
   * @param timeout for all of the problem details
   */
  ProblemReader(RegistryAccess access, Network network, Duration timeout) {
    this.access = access;
    this.network = network;
    this.timeout = timeout;
  }

  /** Returns the exception for an answer that is no success. */
  RegistryException refusal(Call call, Answer answer) throws InterruptedException {
    int status = answer.status();
    Problem problem = problem(answer);
    Duration retryAfter = retryAfter(answer.headers());
    String detail =
        problem == null || problem.detail().isEmpty()
            ? "%s%s answered %s with status %d"
                .formatted(access.registry(), network.route(access.registry()), call, status)
            : describe(problem);
    String remedy = remedy(status, problem, retryAfter);
    return new RegistryException(
        kind(status),
        status,
        problem,
        retryAfter,
        remedy == null ? detail : detail + "; " + remedy);
  }

  private @Nullable String remedy(
      int status, @Nullable Problem problem, @Nullable Duration retryAfter) {
    boolean isAnonymous = access.token() == null;
    return switch (status) {
      case 401 -> access.tokenRemedy();
      case 403 ->
          problem == null && network.proxy(access.registry()).isPresent()
              ? "the proxy may have answered for it"
              : isAnonymous || access.tokenHint() != null ? access.tokenRemedy() : null;
      case PROXY_LOGIN ->
          "the proxy requires a login: name it as http://USER:PASSWORD@HOST:PORT; only the scheme Basic is supported";
      case 404 -> isAnonymous ? access.tokenRemedy() : null;
      case TOO_MANY_REQUESTS ->
          retryAfter == null
              ? "try again later"
              : "try again in %d seconds".formatted((retryAfter.toMillis() + 999) / 1000);
      default ->
          status >= 500 && problem != null && problem.requestId() != null
              ? "for details, see the log of %s for request %s"
                  .formatted(access.registry(), problem.requestId())
              : null;
    };
  }

  private static Kind kind(int status) {
    return switch (status) {
      case 401, 403 -> Kind.NOT_ALLOWED;
      case 404, 410 -> Kind.NOT_FOUND;
      case 409 -> Kind.CONFLICT;
      case 408, TOO_MANY_REQUESTS -> Kind.UNAVAILABLE;
      default -> status >= 500 ? Kind.UNAVAILABLE : Kind.REFUSED;
    };
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
      return null; // the status alone has to do
    }
  }

  private static String text(JsonNode json, String property) {
    return RegistryText.printable(json.path(property).asString(""));
  }

  /** Returns the pause of {@code Retry-After}, seconds or a date (RFC 9110, 10.2.3), or null. */
  private static @Nullable Duration retryAfter(HttpHeaders headers) {
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
