package dev.nola.client.oci;

import dev.nola.client.http.CredentialsException;
import dev.nola.client.http.RegistryText;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The logins that {@code docker login} and {@code oras login} store: in {@code config.json} of
 * {@code $DOCKER_CONFIG} or {@code ~/.docker}, or with the credential helpers that it names.
 */
public final class DockerCredentials {
  private static final String DOCKER_HUB = "docker.io";

  /** The key of logins to Docker Hub. */
  private static final String DOCKER_HUB_KEY = "https://index.docker.io/v1/";

  /** Long enough for a person to unlock a keychain. */
  private static final Duration HELPER_LIMIT = Duration.ofSeconds(60);

  private static final int MAX_FILE = 1 << 20;

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
   * @param environment the variables by name, also passed to credential helpers
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
   * @param host the registry's host, with its port unless that is the default
   * @return the login; null to stay anonymous
   * @throws CredentialsException if the file is invalid, or a helper fails
   * @throws InterruptedException if the thread is interrupted while a helper runs
   */
  @Nullable Login login(String host) throws CredentialsException, InterruptedException {
    JsonNode config = read();
    String key = host.equals(DOCKER_HUB) ? DOCKER_HUB_KEY : host;
    String helper =
        config.path("credHelpers").path(key).asString(config.path("credsStore").asString(""));
    Login kept = helper.isEmpty() ? null : ask(helper, key);
    return kept == null ? stored(config.path("auths"), host) : kept;
  }

  private JsonNode read() throws CredentialsException {
    if (file == null || Files.notExists(file)) {
      return JsonMapper.shared().missingNode();
    }
    if (!Files.isRegularFile(file)) { // a device has no end
      throw new CredentialsException(
          "invalid credentials file: %s; must be a regular file".formatted(file), null);
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] json = in.readNBytes(MAX_FILE + 1);
      if (json.length > MAX_FILE) {
        throw new CredentialsException(
            "credentials file is too large: %s; limit is %d bytes".formatted(file, MAX_FILE), null);
      }
      JsonNode config = JsonMapper.shared().readTree(json);
      if (config.isObject() || config.isMissingNode()) {
        return config;
      }
    } catch (JacksonException _) {
      // Its message would quote the file, and so perhaps a password.
    } catch (CredentialsException e) {
      throw e;
    } catch (IOException e) {
      throw new CredentialsException("cannot read credentials file: %s".formatted(file), e);
    }
    throw new CredentialsException(
        "invalid credentials file: %s; must be a JSON object, as docker login writes it"
            .formatted(file),
        null);
  }

  /** Finds a login in the file itself, whose keys may also be URLs. */
  private @Nullable Login stored(JsonNode logins, String host) throws CredentialsException {
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

  private Login decode(String encoded, String key) throws CredentialsException {
    String text = "";
    try {
      text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      // refused below
    }
    int separator = text.indexOf(':');
    if (separator <= 0) {
      throw new CredentialsException(
          "invalid login for %s in %s; must be base64 of user:password, as docker login writes it"
              .formatted(key, file),
          null);
    }
    return new Login(text.substring(0, separator), text.substring(separator + 1));
  }

  private @Nullable Login ask(String helper, String key)
      throws CredentialsException, InterruptedException {
    if (!HELPER.matcher(helper).matches()) {
      throw new CredentialsException(
          "invalid credential helper in %s: %s; must be letters, digits and . _ -"
              .formatted(file, RegistryText.printable(helper)),
          null);
    }
    return new CredentialHelper("docker-credential-" + helper, environment, HELPER_LIMIT)
        .login(key);
  }
}
