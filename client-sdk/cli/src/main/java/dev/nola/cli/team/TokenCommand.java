package dev.nola.cli.team;

import dev.nola.api.IssuedToken;
import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.TokenRequest;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.OutputPath;
import dev.nola.command.Table;
import dev.nola.files.StagedOutput;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Tokens, with which accounts act. */
@Command(
    name = "token",
    description = "Create, list and revoke tokens.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TokenCommand.Create.class,
      TokenCommand.ListAll.class,
      TokenCommand.Show.class,
      TokenCommand.Revoke.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Examples:",
      "  nola token create ann --scope publish -o ann.token",
      "  nola token list --all"
    })
public final class TokenCommand {
  private TokenCommand() {}

  @Command(
      name = "create",
      description = {
        "Create a token for an account, which exists from then on.",
        "Its secret is printed, or written to a file, and never shown again. The token ends with"
            + " yours: it expires no later, and is revoked with it."
      },
      mixinStandardHelpOptions = true)
  static final class Create extends RegistryAction {
    @Parameters(
        arity = "0..1",
        paramLabel = "ACCOUNT",
        description = "The account; default: yours. Only admins may name another.")
    private @Nullable String account;

    @Option(
        names = "--scope",
        required = true,
        split = ",",
        paramLabel = "SCOPE",
        description =
            "What it permits: read, publish, worker, mint (create tokens) or admin. May be"
                + " repeated.")
    private List<Scope> scopes = List.of();

    @Option(
        names = "--namespace",
        split = ",",
        paramLabel = "NAMESPACE",
        description = "Limit it to this namespace. May be repeated.")
    private @Nullable List<String> namespaces;

    @Option(
        names = "--expires",
        paramLabel = "TIME",
        converter = Expiry.class,
        description = "When it ends: days such as 90d, or a date. Default: with your token.")
    private @Nullable Instant expiresAt;

    @Option(
        names = "--description",
        paramLabel = "TEXT",
        description = "Text that tells it from other tokens of the account.")
    private @Nullable String description;

    @Option(
        names = {"-o", "--output"},
        converter = OutputPath.class,
        paramLabel = "FILE",
        description = "Write the secret to this new file, which only you can read.")
    private @Nullable Path file;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      if (file == null) {
        IssuedToken issued = issue(client);
        output.print(issued, out -> out.println(issued.secret()));
        return ExitCode.OK;
      }
      // The file comes first: a token whose secret cannot be kept must not be created.
      try (StagedOutput staged = StagedOutput.begin(file)) {
        Files.createFile(staged.path(), UserDirectories.ownerOnly("rw-------"));
        IssuedToken issued = issue(client);
        Files.writeString(staged.path(), issued.secret() + "\n");
        staged.finish();
        output.print(
            new Stored(issued.token(), file.toString()), out -> out.println("wrote " + file));
      }
      return ExitCode.OK;
    }

    private IssuedToken issue(NolaClient client) throws IOException, InterruptedException {
      IssuedToken issued =
          client
              .tokens()
              .issue(new TokenRequest(account, description, scopes, namespaces, expiresAt));
      output.message(
          "token %s of %s: %s",
          issued.token().id(), issued.token().account(), Texts.words(issued.token().scopes()));
      return issued;
    }

    private record Stored(Token token, String file) {}
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List tokens, without their secrets.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Option(
        names = "--account",
        paramLabel = "ACCOUNT",
        description = "Tokens of this account, for admins (default: yours).")
    private @Nullable String account;

    @Option(names = "--all", description = "Tokens of all accounts, for admins.")
    private boolean all;

    @Option(names = "--valid", description = "Only tokens that are valid now.")
    private boolean valid;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<Token> tokens =
          (all
                  ? AllPages.read(
                      "tokens", Texts.MAX_LISTED, cursor -> client.tokens().listAll(valid, cursor))
                  : client.tokens().list(account))
              .stream().filter(token -> !valid || state(token).equals("valid")).toList();
      output.print(tokens, out -> print(tokens, out));
      return ExitCode.OK;
    }

    private static void print(List<Token> tokens, PrintWriter out) {
      Table table =
          new Table("ID", "ACCOUNT", "SCOPES", "NAMESPACES", "STATE", "LAST USED", "DESCRIPTION");
      for (Token token : tokens) {
        table.row(
            token.id(),
            token.account(),
            Texts.words(token.scopes()),
            Texts.list(token.namespaces()),
            state(token),
            Texts.ago(token.lastUsedAt()),
            token.description());
      }
      table.print(out);
    }
  }

  private static String state(Token token) {
    if (token.revokedAt() != null) {
      return "revoked";
    }
    return token.expiresAt() != null && token.expiresAt().isBefore(Instant.now())
        ? "expired"
        : "valid";
  }

  @Command(
      name = "show",
      description = "Show the token that you use.",
      mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Token token = client.tokens().current();
      output.print(
          token,
          out ->
              new Table()
                  .row("id", token.id())
                  .row("account", token.account())
                  .row("scopes", Texts.words(token.scopes()))
                  .row("namespaces", Texts.list(token.namespaces()))
                  .row("description", token.description())
                  .row("created", Texts.time(token.createdAt()))
                  .row(
                      "expires",
                      token.expiresAt() == null ? "never" : Texts.time(token.expiresAt()))
                  .print(out));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "revoke",
      description = "Revoke a token, and all that were created with it.",
      mixinStandardHelpOptions = true)
  static final class Revoke extends RegistryAction {
    @Parameters(
        paramLabel = "ID",
        converter = Id.class,
        description = "The token's id, as nola token list shows it.")
    private UUID id = new UUID(0, 0);

    @Option(
        names = "--keep-children",
        description = "Keep the tokens that were created with it; for admins.")
    private boolean keepChildren;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      client.tokens().revoke(id, keepChildren);
      output.print(Map.of("revoked", id.toString()), out -> out.println("revoked " + id));
      return ExitCode.OK;
    }
  }
}
