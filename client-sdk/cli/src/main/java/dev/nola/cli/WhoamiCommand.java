package dev.nola.cli;

import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows the account and the limits of the token in use. */
@Command(
    name = "whoami",
    description =
        "Show the account that your token belongs to, and what it allows, where and until when.",
    mixinStandardHelpOptions = true)
final class WhoamiCommand implements Callable<Integer> {
  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (NolaClient client = registry.client(output)) {
      Identity identity = Identity.of(registry.url(output), client.tokens().current());
      output.print(identity, out -> out.println(identity.sentence()));
    }
    return 0;
  }
}
