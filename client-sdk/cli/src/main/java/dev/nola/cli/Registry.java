package dev.nola.cli;

import dev.nola.client.registry.Credentials;
import dev.nola.client.registry.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which registry a command asks, and as whom. */
final class Registry {
  /** Where {@code nola serve} listens. */
  private static final String DEFAULT = "http://127.0.0.1:8080";

  @Option(
      names = "--registry",
      paramLabel = "URL",
      description = "The registry. Default: $NOLA_REGISTRY, else " + DEFAULT + ".")
  private @Nullable String url;

  URI url(Output output) {
    if (url != null) {
      return url("--registry", url);
    }
    String fromEnvironment = output.environment("NOLA_REGISTRY");
    return fromEnvironment.isEmpty() ? URI.create(DEFAULT) : url("NOLA_REGISTRY", fromEnvironment);
  }

  private static URI url(String name, String text) {
    if (text.matches("https?://[^/\\s]\\S*")) {
      try {
        return new URI(text);
      } catch (URISyntaxException e) {
        throw new IllegalArgumentException(
            name + " " + text + " is not a URL: " + e.getReason(), e);
      }
    }
    throw new IllegalArgumentException(
        name + " " + text + ", must be a URL such as https://nola.example");
  }

  /** The user's tokens. */
  static Credentials credentials(Output output) {
    return Credentials.of(output.console().environment());
  }

  /** The user's cache. */
  static LocalCache cache(Output output) {
    return LocalCache.of(output.console().environment());
  }

  /** A client for it, with the token of {@code $NOLA_TOKEN}, or else of {@code nola login}. */
  NolaClient client(Output output) throws IOException {
    return client(url(output), false, output);
  }

  /**
   * A client for a registry that something else names, a lock file say. {@code $NOLA_TOKEN} is for
   * the registry that the user names, and goes to no other.
   */
  NolaClient client(URI registry, boolean offline, Output output) throws IOException {
    String token = registry.equals(url(output)) ? output.environment("NOLA_TOKEN") : "";
    return NolaClient.builder(registry)
        .token(token.isEmpty() ? credentials(output).token(registry) : token)
        .cache(cache(output))
        .offline(offline)
        .build();
  }
}
