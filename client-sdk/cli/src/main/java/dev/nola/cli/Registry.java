package dev.nola.cli;

import dev.nola.client.registry.Credentials;
import dev.nola.client.registry.LocalCache;
import dev.nola.client.registry.NolaClient;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which registry a command asks, and as whom. */
final class Registry {
  /** Where {@code nola serve} listens. */
  private static final String DEFAULT = "http://127.0.0.1:8080";

  @Option(
      names = "--registry",
      paramLabel = "URL",
      description = "The registry; $NOLA_REGISTRY when not given, else " + DEFAULT + ".")
  private @Nullable URI url;

  @Option(names = "--offline", description = "Ask no registry; take what the cache has.")
  private boolean offline;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  URI url() {
    if (url != null) {
      return url;
    }
    String fromEnvironment = environment().getOrDefault("NOLA_REGISTRY", "");
    return URI.create(fromEnvironment.isEmpty() ? DEFAULT : fromEnvironment);
  }

  /** A client for it, with the token of {@code $NOLA_TOKEN}, or else of {@code nola login}. */
  NolaClient client() throws IOException {
    return client(url());
  }

  NolaClient client(URI registry) throws IOException {
    String token = environment().getOrDefault("NOLA_TOKEN", "");
    return NolaClient.builder(registry)
        .token(token.isEmpty() ? credentials().token(registry) : token)
        .cache(cache())
        .offline(offline)
        .build();
  }

  Credentials credentials() {
    return Credentials.of(environment());
  }

  LocalCache cache() {
    return LocalCache.of(environment());
  }

  private Map<String, String> environment() {
    return ((Main) command.root().userObject()).console().environment();
  }
}
