package dev.nola.command;

import dev.nola.client.RegistryUrl;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.Credentials;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that names a registry, and clients of it with the user's token and cache. */
public final class RegistryOption {
  /** Where {@code nola serve} listens. */
  private static final String DEFAULT = "http://127.0.0.1:8080";

  @Option(
      names = "--registry",
      paramLabel = "URL",
      description = "The registry. Default: $NOLA_REGISTRY, else " + DEFAULT + ".")
  private @Nullable String url;

  /**
   * Returns the registry's URL.
   *
   * @param output knows the environment
   * @return the option's value, else that of {@code $NOLA_REGISTRY}, else the default
   * @throws IllegalArgumentException if that is not an http or https URL
   */
  public URI url(Output output) {
    if (url != null) {
      return parse("--registry", url);
    }
    String fromEnvironment = output.environment("NOLA_REGISTRY");
    return parse("NOLA_REGISTRY", fromEnvironment.isEmpty() ? DEFAULT : fromEnvironment);
  }

  /**
   * Returns the user's tokens.
   *
   * @param output knows the environment
   * @return the stored tokens
   */
  public static Credentials credentials(Output output) {
    return Credentials.of(output.console().environment());
  }

  /**
   * Returns the user's cache.
   *
   * @param output knows the environment
   * @return the cache of pulled files
   */
  public static LocalCache cache(Output output) {
    return LocalCache.of(output.console().environment());
  }

  /**
   * Creates a client for the registry, with the token of {@code $NOLA_TOKEN}, or else of {@code
   * nola login}.
   *
   * @param output knows the environment
   * @return the client, to be closed
   * @throws IOException if the stored tokens cannot be read
   */
  public NolaClient client(Output output) throws IOException {
    return client(url(output), false, output);
  }

  /**
   * Creates a client for the registry that waits longer or shorter than others.
   *
   * @param output knows the environment
   * @param requestTimeout how long the registry may take to answer one request
   * @return the client, to be closed
   * @throws IOException if the stored tokens cannot be read
   */
  public NolaClient client(Output output, Duration requestTimeout) throws IOException {
    return builder(url(output), output).requestTimeout(requestTimeout).build();
  }

  /**
   * Creates a client for a registry that something else names, a lock file say. {@code $NOLA_TOKEN}
   * is for the registry that the user names, and goes to no other.
   *
   * @param registry the registry's URL
   * @param offline whether to answer from the cache alone
   * @param output knows the environment
   * @return the client, to be closed
   * @throws IOException if the stored tokens cannot be read
   */
  public NolaClient client(URI registry, boolean offline, Output output) throws IOException {
    return builder(registry, output).offline(offline).build();
  }

  private NolaClient.Builder builder(URI registry, Output output) throws IOException {
    NolaClient.Builder builder = NolaClient.builder(registry).cache(cache(output));
    String fromEnvironment = output.environment("NOLA_TOKEN");
    URI named = RegistryUrl.normalize(url(output));
    if (!fromEnvironment.isEmpty() && RegistryUrl.normalize(registry).equals(named)) {
      return builder
          .token(fromEnvironment)
          .tokenHint("replace the value of NOLA_TOKEN, or unset it to use the token of nola login");
    }
    String stored = credentials(output).token(registry);
    if (!fromEnvironment.isEmpty() && stored == null) {
      builder.tokenHint(
          "NOLA_TOKEN was not sent, since it is for %s; set NOLA_REGISTRY to %s if it is for that one, or log in with: nola login --registry %s"
              .formatted(named, registry, registry));
    }
    return builder.token(stored);
  }

  private static URI parse(String name, String text) {
    if (text.matches("https?://[^/\\s]\\S*")) {
      try {
        return new URI(text);
      } catch (URISyntaxException e) {
        throw new IllegalArgumentException(
            "invalid " + name + ": " + text + "; must be a URL: " + e.getReason(), e);
      }
    }
    throw new IllegalArgumentException(
        "invalid " + name + ": " + text + "; must be a URL such as https://nola.example");
  }
}
