package dev.nola.client.http;

import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.RegistryUrl;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Sends one request and follows redirections of it. The token goes to the registry's own scheme,
 * host and port only, and never again once another host was involved.
 */
final class Redirects {
  private static final int MAX_REDIRECTS = 5;
  private static final Set<Integer> STATUSES = Set.of(301, 302, 303, 307, 308);

  /** Safe methods: they change nothing on the host that they are redirected to. */
  private static final Set<String> REDIRECTED = Set.of("GET", "HEAD");

  /** What a registry says of a file, in lower case: a store that it redirects to does not know. */
  private static final Set<String> OF_THE_REGISTRY =
      Set.of("repr-digest", "nola-version", "nola-warning", "nola-disputed");

  private final HttpClient http;
  private final RegistryProtocol protocol;
  private final Duration timeout;

  /**
   * @param http follows no redirections itself: it would take the token along
   * @param timeout for an answer to begin
   */
  Redirects(HttpClient http, RegistryProtocol protocol, Duration timeout) {
    this.http = http;
    this.protocol = protocol;
    this.timeout = timeout;
  }

  /**
   * Sends a request.
   *
   * @return the first answer that is not a redirection, whatever its status; if another host sent
   *     it, with what the registry stated of the file
   * @throws RegistryException if a redirection must not be followed
   */
  Answer send(Call call) throws IOException, InterruptedException {
    URI url = URI.create(call.isElsewhere() ? call.path() : protocol.registry() + call.path());
    boolean atHome = true;
    Map<String, List<String>> stated = Map.of();
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      atHome = atHome && RegistryUrl.sameOrigin(url, protocol.registry());
      HttpResponse<Body> response = http.send(request(call, url, atHome), _ -> new Body());
      if (!STATUSES.contains(response.statusCode())) {
        HttpHeaders headers = atHome ? response.headers() : with(stated, response.headers());
        return new Answer(response.statusCode(), headers, response.body(), url, atHome);
      }
      if (atHome) {
        stated = response.headers().map();
      }
      response.body().close();
      url = target(call, url, response);
    }
    throw RegistryException.broken(
        "%s redirected %s too often; limit is %d times"
            .formatted(protocol.registry(), call, MAX_REDIRECTS));
  }

  /** Replaces headers of another host by those that the registry stated when it redirected. */
  private static HttpHeaders with(Map<String, List<String>> stated, HttpHeaders headers) {
    Map<String, List<String>> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    all.putAll(headers.map());
    stated.forEach(
        (name, values) -> {
          if (OF_THE_REGISTRY.contains(name.toLowerCase(Locale.ROOT))) {
            all.put(name, values);
          }
        });
    return HttpHeaders.of(all, (_, _) -> true);
  }

  private HttpRequest request(Call call, URI url, boolean atHome) {
    Content content = call.content();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(url)
            .timeout(timeout)
            .method(call.method(), content == null ? BodyPublishers.noBody() : content.publisher());
    request.header("Accept-Encoding", "identity");
    call.headers().forEach(request::header);
    if (content != null) {
      request.header("Content-Type", content.type());
    }
    String authorization = protocol.authorization();
    if (authorization != null && atHome) {
      request.header("Authorization", authorization);
    }
    return request.build();
  }

  private URI target(Call call, URI url, HttpResponse<?> response) throws RegistryException {
    String location = response.headers().firstValue("Location").orElse("");
    URI target;
    try {
      target = url.resolve(location);
      RegistryUrl.normalize(
          new URI(target.getScheme(), target.getAuthority(), target.getPath(), null, null));
    } catch (IllegalArgumentException | URISyntaxException e) {
      throw RegistryException.broken(
          "%s redirected %s to an invalid URL: \"%s\""
              .formatted(protocol.registry(), call, RegistryText.place(location)));
    }
    if (RegistryUrl.isEncrypted(url) && !RegistryUrl.isEncrypted(target)) {
      throw RegistryException.broken(
          "%s redirected %s to %s, which is not encrypted; refused"
              .formatted(protocol.registry(), call, RegistryText.place(target.toString())));
    }
    if (!REDIRECTED.contains(call.method())) {
      throw new RegistryException(
          Kind.REFUSED,
          response.statusCode(),
          null,
          null,
          "%s redirected %s to %s; use the URL of that registry"
              .formatted(protocol.registry(), call, RegistryText.place(target.toString())));
    }
    return target;
  }
}
