package dev.nola.cli;

import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Forgets a token. */
@Command(
    name = "logout",
    description = "Remove the stored token for a registry. The token itself stays valid.",
    mixinStandardHelpOptions = true)
final class LogoutCommand implements Callable<Integer> {
  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    String url = registry.url(output).toString();
    boolean removed = RegistryOption.credentials(output).remove(registry.url(output));
    if (!output.environment("NOLA_TOKEN").isEmpty()) {
      output.warn("NOLA_TOKEN is set and remains in use");
    }
    output.print(
        Map.of("registry", url, "removed", removed),
        out -> out.printf(removed ? "logged out of %s%n" : "was not logged in to %s%n", url));
    return 0;
  }
}
