package dev.nola.command;

import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that names a registry. */
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
