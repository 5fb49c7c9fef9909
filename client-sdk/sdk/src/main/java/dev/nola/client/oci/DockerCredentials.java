package dev.nola.client.oci;

import dev.nola.client.http.RegistryText;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The logins that {@code docker login} and {@code oras login} keep: in {@code config.json} of
 * {@code $DOCKER_CONFIG} or {@code ~/.docker}, or with the credential helpers that it names.
 */
public final class DockerCredentials {
  private static final String DOCKER_HUB = "docker.io";

  /** What Docker keeps the logins of its own registry under. */
  private static final String DOCKER_HUB_KEY = "https://index.docker.io/v1/";

  /** The user name that helpers state beside an identity token. */
  private static final String TOKEN_USER = "<token>";

  private static final Pattern HELPER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  private final @Nullable Path file;
  private final Map<String, String> environment;

  private DockerCredentials(@Nullable Path file, Map<String, String> environment) {
    this.file = file;
    this.environment = environment;
  }

  /**
   * A user's login.
   *
   * @param user the user's name; empty for an identity token
   * @param secret the password, or an identity token to obtain access tokens with
   */
  record Login(String user, String secret) {
    boolean isIdentityToken() {
      return user.isEmpty();
    }

    /** Returns the value of a header {@code Authorization} of the scheme Basic. */
    String basic() {
      return "Basic "
          + Base64.getEncoder()
              .encodeToString((user + ":" + secret).getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
      return isIdentityToken() ? "an identity token" : "user " + user; // never the secret
    }
  }

  /**
   * Returns the logins that a process with these environment variables would use.
   *
   * @param environment the variables by name; also those of credential helpers
   * @return the logins
   */
  public static DockerCredentials of(Map<String, String> environment) {
    String folder = environment.getOrDefault("DOCKER_CONFIG", "");
    Optional<Path> chosen =
        folder.isEmpty()
            ? UserDirectories.home(environment).map(home -> home.resolve(".docker"))
            : Optional.of(Path.of(folder));
    return new DockerCredentials(
        chosen.map(path -> path.resolve("config.json")).orElse(null), environment);
  }

  /**
   * Finds the login for a registry.
   *
   * @param host the registry's host, with its port if it is not the usual one
   * @return the login; null to stay anonymous
   * @throws IOException if the file is invalid, or a helper fails
   * @throws InterruptedException if the thread is interrupted while a helper runs
   */
  @Nullable Login login(String host) throws IOException, InterruptedException {
    JsonNode config = read();
    String key = host.equals(DOCKER_HUB) ? DOCKER_HUB_KEY : host;
    String helper =
        config.path("credHelpers").path(key).asString(config.path("credsStore").asString(""));
    Login kept = helper.isEmpty() ? null : ask(helper, key);
    return kept == null ? stored(config.path("auths"), host) : kept;
  }

  private JsonNode read() throws IOException {
    try {
      JsonNode config =
          JsonMapper.shared().readTree(file == null ? new byte[0] : Files.readAllBytes(file));
      if (config.isObject() || config.isMissingNode()) {
        return config;
      }
    } catch (NoSuchFileException _) {
      return JsonMapper.shared().missingNode();
    } catch (JacksonException _) {
      // Its message would quote the file, and so perhaps a password.
    }
    throw new IOException(
        "invalid credentials file: %s; must be a JSON object, as docker login writes it"
            .formatted(file));
  }

  /** Finds a login in the file itself, whose keys may also be URLs. */
  private @Nullable Login stored(JsonNode logins, String host) throws IOException {
    for (Map.Entry<String, JsonNode> login : logins.properties()) {
      String key = login.getKey();
      boolean matches =
          key.equals(host)
              || host.equals(DOCKER_HUB) && key.equals(DOCKER_HUB_KEY)
              || key.replaceFirst("^https?://", "").replaceFirst("/.*$", "").equals(host);
      String token = login.getValue().path("identitytoken").asString("");
      String encoded = login.getValue().path("auth").asString("");
      if (matches && !token.isEmpty()) {
        return new Login("", token);
      }
      if (matches && !encoded.isEmpty()) {
        return decode(encoded, key);
      }
    }
    return null;
  }

  private Login decode(String encoded, String key) throws IOException {
    String text = "";
    try {
      text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      // refused below
    }
    int separator = text.indexOf(':');
    if (separator <= 0) {
      throw new IOException(
          "invalid login for %s in %s; must be base64 of user:password, as docker login writes it"
              .formatted(key, file));
    }
    return new Login(text.substring(0, separator), text.substring(separator + 1));
  }

  /** Asks a credential helper by its protocol: the registry on stdin, JSON on stdout. */
  private @Nullable Login ask(String helper, String key) throws IOException, InterruptedException {
    if (!HELPER.matcher(helper).matches()) {
      throw new IOException(
          "invalid credential helper in %s: %s; must be letters, digits and . _ -"
              .formatted(file, RegistryText.printable(helper)));
    }
    String program = "docker-credential-" + helper;
    ProcessBuilder builder =
        new ProcessBuilder(program, "get").redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException(
          "credential helper not found: %s; %s names it".formatted(program, file), e);
    }
    byte[] answer;
    try {
      try (OutputStream in = process.getOutputStream()) {
        in.write(key.getBytes(StandardCharsets.UTF_8));
      }
      answer = process.getInputStream().readAllBytes();
      if (process.waitFor() != 0) {
        return refused(program, key, new String(answer, StandardCharsets.UTF_8));
      }
    } finally {
      process.destroy();
    }
    try {
      JsonNode login = JsonMapper.shared().readTree(answer);
      String user = login.path("Username").asString("");
      return new Login(user.equals(TOKEN_USER) ? "" : user, login.path("Secret").asString(""));
    } catch (JacksonException _) {
      throw new IOException("invalid answer of " + program + " for " + key + "; must be JSON");
    }
  }

  /** Returns null if a helper has no login, which it reports as a failure. */
  private static @Nullable Login refused(String program, String key, String answer)
      throws IOException {
    if (answer.contains("credentials not found")) {
      return null;
    }
    throw new IOException(
        "credential helper %s failed for %s: %s"
            .formatted(program, key, RegistryText.printable(answer)));
  }
}
