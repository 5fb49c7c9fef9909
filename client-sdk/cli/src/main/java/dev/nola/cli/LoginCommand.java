package dev.nola.cli;

import dev.nola.api.Token;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Keeps a token. */
@Command(
    name = "login",
    description = {
      "Store a token for a registry, after checking that the registry accepts it.",
      "The token is typed in or read from standard input, not passed as an argument, which other users"
          + " of the machine could see. It is stored in credentials.json in $NOLA_CONFIG or"
          + " ~/.config/nola, which only you can read."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola login --registry https://nola.example < token"})
final class LoginCommand implements Callable<Integer> {
  private static final String TOKEN_HINT =
      "pass another token; an admin of the registry creates one with nola token create";

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    URI url = registry.url(output);
    String secret = readToken(url);
    Token token;
    try (NolaClient client = NolaClient.builder(url).token(secret).tokenHint(TOKEN_HINT).build()) {
      token = client.tokens().current();
    }
    RegistryOption.credentials(output).save(url, secret);
    if (!output.environment("NOLA_TOKEN").isEmpty()) {
      output.warn("NOLA_TOKEN is set and takes precedence");
    }
    output.print(
        Identity.of(url, token),
        out -> out.printf("logged in to %s as %s%n", url, token.account()));
    return 0;
  }

  private String readToken(URI url) {
    java.io.Console terminal = System.console();
    if (output.console().interactive() && terminal != null && terminal.isTerminal()) {
      char[] typed = terminal.readPassword("Token for %s: ", url);
      return typed == null ? "" : required(new String(typed));
    }
    Scanner in = new Scanner(output.console().in(), StandardCharsets.UTF_8);
    return required(in.hasNextLine() ? in.nextLine() : "");
  }

  private static String required(String secret) {
    if (secret.isBlank()) {
      throw new IllegalArgumentException(
          "no token on standard input; pass it like this: nola login < token");
    }
    return secret.strip();
  }
}
