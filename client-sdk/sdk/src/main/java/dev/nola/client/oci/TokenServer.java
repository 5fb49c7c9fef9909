package dev.nola.client.oci;

import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.RegistryUrl;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Refusals;
import dev.nola.client.http.RegistryProtocol;
import dev.nola.client.http.RegistryText;
import dev.nola.client.http.Retry;
import dev.nola.client.http.Timeouts;
import dev.nola.client.http.Transport;
import dev.nola.client.oci.DockerCredentials.Login;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The server that a registry names for access tokens, by Docker's token protocol.
 *
 * @param registry the server's origin
 * @param host the host of the container registry, for messages
 * @param login sent to the server; null for an anonymous token
 */
record TokenServer(URI registry, String host, @Nullable Login login) implements RegistryProtocol {
  private static final int MAX_ANSWER = 1 << 20;

  /** Visible ASCII characters only, so that a token cannot inject a header. */
  private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{1,65536}");

  /**
   * Fetches an access token.
   *
   * @param bearer the registry's challenge
   * @param host the registry's host
   * @param login what to log in with; null to stay anonymous
   * @return the token
   * @throws RegistryException if the server refuses the login, would receive it unencrypted, or
   *     cannot be reached; without a status, because the request was already retried
   */
  static String fetch(Challenge bearer, String host, @Nullable Login login)
      throws IOException, InterruptedException {
    String text = bearer.parameters().getOrDefault("realm", "");
    URI realm;
    URI origin;
    try {
      realm = new URI(text);
      origin = RegistryUrl.normalize(new URI(realm.getScheme() + "://" + realm.getRawAuthority()));
    } catch (IllegalArgumentException | java.net.URISyntaxException _) {
      throw RegistryException.broken(
          "invalid realm from %s: \"%s\"; must be a URL".formatted(host, RegistryText.place(text)));
    }
    if (login != null && !RegistryUrl.isPrivate(origin)) {
      throw RegistryException.broken(
          "unencrypted realm from %s: %s; a login is sent over https only".formatted(host, origin));
    }
    TokenServer server = new TokenServer(origin, host, login);
    try (Transport transport = new Transport(server, Timeouts.STANDARD, Retry.STANDARD, false)) {
      JsonNode answer =
          OciJson.read(
              transport.bytes(server.call(bearer, realm), MAX_ANSWER),
              JsonNode.class,
              "the answer of " + origin);
      String token = answer.path("token").asString("");
      token = token.isEmpty() ? answer.path("access_token").asString("") : token;
      if (!TOKEN.matcher(token).matches()) {
        throw RegistryException.broken(
            "invalid token from %s for %s; must be in property token or access_token"
                .formatted(origin, host));
      }
      return token;
    } catch (RegistryException e) {
      throw new RegistryException(e.kind(), 0, null, null, e.getMessage());
    }
  }

  /**
   * Identity tokens are exchanged by a POST (OAuth 2); other logins and anonymous access use a GET.
   */
  private Call call(Challenge bearer, URI realm) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String name : new String[] {"service", "scope"}) {
      String value = bearer.parameters().get(name);
      if (value != null) {
        fields.put(name, value);
      }
    }
    String path = Objects.requireNonNullElse(realm.getRawPath(), "");
    String query = Objects.requireNonNullElse(realm.getRawQuery(), "");
    path = path.isEmpty() ? "/" : path;
    if (login == null || !login.isIdentityToken()) {
      String all = query.isEmpty() ? form(fields) : query + "&" + form(fields);
      return Call.get(path + "?" + all);
    }
    fields.put("client_id", "nola");
    fields.put("grant_type", "refresh_token");
    fields.put("refresh_token", login.secret());
    byte[] body = form(fields).getBytes(StandardCharsets.US_ASCII);
    return Call.of("POST", query.isEmpty() ? path : path + "?" + query)
        .with(Content.bytes("application/x-www-form-urlencoded", body, Progress.NONE));
  }

  private static String form(Map<String, String> fields) {
    return fields.entrySet().stream()
        .map(field -> field.getKey() + "=" + Query.encode(field.getValue()))
        .collect(Collectors.joining("&"));
  }

  @Override
  public @Nullable String authorization() {
    return login == null || login.isIdentityToken() ? null : login.basic();
  }

  @Override
  public boolean meet(Answer challenge) {
    return false;
  }

  @Override
  public RegistryException refusal(Call call, Answer answer, String route) {
    return new RegistryException(
        Refusals.kind(answer.status()),
        answer.status(),
        null,
        Refusals.retryAfter(answer.headers()),
        "no token for %s: %s%s answered with status %d; %s"
            .formatted(
                host,
                registry,
                route,
                answer.status(),
                Refusals.kind(answer.status()) == Kind.NOT_ALLOWED
                    ? OciProtocol.loginRemedy(host, login)
                    : "try again later, or ask its operators"));
  }
}
