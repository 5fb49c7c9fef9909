package dev.nola.registry;

import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Requests pages as a browser does, with its cookies; follows no redirect. */
final class PageClient {
  private static final Pattern CSRF = Pattern.compile("name=\"_csrf\" value=\"([^\"]+)\"");

  private final String server;
  private final CookieManager cookies = new CookieManager();
  private final HttpClient http = HttpClient.newBuilder().cookieHandler(cookies).build();

  PageClient(TestRegistry registry) {
    this.server = "http://127.0.0.1:" + registry.port();
  }

  /** Signs in, unless the token is null. */
  static PageClient of(TestRegistry registry, @Nullable String token)
      throws IOException, InterruptedException {
    PageClient client = new PageClient(registry);
    if (token != null) {
      HttpResponse<String> answer = client.post("/sign-in", Map.of("token", token));
      if (answer.statusCode() != 302) {
        throw new AssertionError(answer.body());
      }
    }
    return client;
  }

  CookieManager cookies() {
    return cookies;
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(server + path)).header("Accept", "text/html").build(),
        BodyHandlers.ofString());
  }

  /** Sends a form with the token against forgery that the pages have. */
  HttpResponse<String> post(String path, Map<String, String> fields)
      throws IOException, InterruptedException {
    HttpResponse<String> page = get("/sign-in");
    if (page.statusCode() == 302) {
      page = get("/"); // signed in already: each page has the form to sign out
    }
    Matcher csrf = CSRF.matcher(page.body());
    if (!csrf.find()) {
      throw new AssertionError("no token against forgery");
    }
    return postForged(path, fields, csrf.group(1));
  }

  /** Sends a form with any text as its token against forgery. */
  HttpResponse<String> postForged(String path, Map<String, String> fields, String csrf)
      throws IOException, InterruptedException {
    String form =
        fields.entrySet().stream()
            .map(field -> field.getKey() + "=" + encode(field.getValue()))
            .collect(Collectors.joining("&", "", "&_csrf=" + encode(csrf)));
    return http.send(
        HttpRequest.newBuilder(URI.create(server + path))
            .header("Accept", "text/html")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form))
            .build(),
        BodyHandlers.ofString());
  }

  private static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8);
  }
}
