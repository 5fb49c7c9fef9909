package dev.nola.cli;

import dev.nola.api.Token;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows whose token is used. */
@Command(
    name = "whoami",
    description = "Show the account that your token belongs to, and what it allows.",
    mixinStandardHelpOptions = true)
final class WhoamiCommand implements Callable<Integer> {
  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (NolaClient client = registry.client(output)) {
      Token token = client.tokens().current();
      output.print(
          new Identity(registry.url(output).toString(), token.account(), token.scopes()),
          out ->
              out.printf(
                  "%s at %s, with a token for %s%n",
                  token.account(),
                  registry.url(output),
                  token.scopes().stream().map(Label::of).collect(Collectors.joining(", "))));
    }
    return 0;
  }
}
