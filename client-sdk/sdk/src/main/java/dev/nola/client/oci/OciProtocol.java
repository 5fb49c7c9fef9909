package dev.nola.client.oci;

import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.RegistryUrl;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Call;
import dev.nola.client.http.Refusals;
import dev.nola.client.http.RegistryProtocol;
import dev.nola.client.http.RegistryText;
import dev.nola.client.oci.DockerCredentials.Login;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Authorizes requests to a container registry: anonymous until it sends a challenge, then by the
 * login itself (Basic) or by a token for one repository from a server that the challenge names
 * (Bearer).
 */
final class OciProtocol implements RegistryProtocol {
  private static final int UNAUTHORIZED = 401;
  private static final int MAX_ERROR = 64 << 10;

  private final OciReference reference;
  private final URI registry;
  private final DockerCredentials credentials;
  private final Duration timeout;
  private volatile @Nullable String authorization;

  /** The login in use, for messages; null for anonymous access. */
  private volatile @Nullable Login sent;

  /**
   * @param reference names the registry
   * @param registry the URL of its API
   * @param timeout for all of an error's description
   */
  OciProtocol(
      OciReference reference, URI registry, DockerCredentials credentials, Duration timeout) {
    this.reference = reference;
    this.registry = registry;
    this.credentials = credentials;
    this.timeout = timeout;
  }

  @Override
  public URI registry() {
    return registry;
  }

  @Override
  public @Nullable String authorization() {
    return authorization;
  }

  @Override
  public boolean meet(Answer challenge) throws IOException, InterruptedException {
    List<Challenge> challenges = Challenge.parse(challenge.headers().allValues("WWW-Authenticate"));
    Login login = credentials.login(reference.host());
    if (login != null && !RegistryUrl.isPrivate(registry)) {
      throw RegistryException.broken(
          "login for %s not sent: %s is not encrypted; use https"
              .formatted(reference.host(), registry));
    }
    for (Challenge each : challenges) {
      if (each.scheme().equals("bearer")) {
        authorization = "Bearer " + TokenServer.fetch(each, reference.host(), login);
        sent = login;
        return true;
      }
    }
    boolean isBasic = challenges.stream().anyMatch(each -> each.scheme().equals("basic"));
    if (!isBasic || login == null || login.isIdentityToken()) {
      return false;
    }
    boolean isNew = authorization == null; // what was refused once is refused again
    authorization = login.basic();
    sent = login;
    return isNew;
  }

  @Override
  public RegistryException refusal(Call call, Answer answer, String route)
      throws InterruptedException {
    int status = answer.status();
    String reason = reason(answer);
    String message =
        "%s%s answered %s with status %d%s"
            .formatted(registry, route, call, status, reason.isEmpty() ? "" : ": " + reason);
    return new RegistryException(
        Refusals.kind(status),
        status,
        null,
        Refusals.retryAfter(answer.headers()),
        Refusals.kind(status) == Kind.NOT_ALLOWED && answer.isFromRegistry()
            ? message + "; " + loginRemedy(reference.host(), status == UNAUTHORIZED ? sent : null)
            : message);
  }

  /**
   * Returns the remedy for a missing or refused login.
   *
   * @param login the login that was refused; null if none was sent or it is not known to be wrong
   */
  static String loginRemedy(String host, @Nullable Login login) {
    return login == null
        ? "log in to an account with access: docker login %s, or oras login".formatted(host)
        : "login refused: %s; log in again: docker login %s, or oras login".formatted(login, host);
  }

  /** Returns the codes and messages of a refusal (OCI distribution specification); may be empty. */
  private String reason(Answer answer) throws InterruptedException {
    try {
      JsonNode errors =
          JsonMapper.shared().readTree(answer.body().readAll(MAX_ERROR, timeout)).path("errors");
      return RegistryText.printable(
          errors
              .valueStream()
              .map(
                  error ->
                      "%s (%s)"
                          .formatted(
                              error.path("message").asString(""), error.path("code").asString("")))
              .collect(Collectors.joining(", ")));
    } catch (JacksonException | IOException _) {
      return ""; // the status alone is reported
    }
  }
}
