package dev.nola.cli;

import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.Credentials;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.net.URI;
import picocli.CommandLine.Mixin;

/** Which registry a command asks, and as whom. */
final class Registry {
  @Mixin private RegistryOption option = new RegistryOption();

  URI url(Output output) {
    return option.url(output);
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
