package dev.nola.cli.team;

import dev.nola.api.AccountSummary;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Table;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;

/** Accounts, which exist by having a token or being a member of a namespace. */
@Command(
    name = "account",
    description = "List accounts; nola token create makes one.",
    mixinStandardHelpOptions = true,
    subcommands = AccountCommand.ListAll.class,
    synopsisSubcommandLabel = "COMMAND")
public final class AccountCommand {
  private AccountCommand() {}

  @Command(
      name = "list",
      aliases = "ls",
      description = "List all accounts with their namespaces; for admins.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<AccountSummary> accounts =
          AllPages.read("accounts", Texts.MAX_LISTED, client.tokens()::accounts);
      output.print(
          accounts,
          out -> {
            Table table = new Table("ACCOUNT", "VALID TOKENS", "LAST USED", "NAMESPACES");
            for (AccountSummary account : accounts) {
              table.row(
                  account.account(),
                  Long.toString(account.tokens()),
                  Texts.ago(account.lastUsedAt()),
                  Texts.list(account.namespaces()));
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }
}
