package dev.nola.cli.team;

import dev.nola.api.Member;
import dev.nola.api.Role;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Table;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Members of namespaces. */
@Command(
    name = "member",
    description = "Manage the members of a namespace.",
    mixinStandardHelpOptions = true,
    subcommands = {
      MemberCommand.Add.class,
      MemberCommand.ListAll.class,
      MemberCommand.Remove.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola member add acme bob"})
public final class MemberCommand {
  private MemberCommand() {}

  @Command(
      name = "add",
      description = {
        "Make an account a member, or change its role; for owners.",
        "The account must exist: an admin creates its first token with nola token create."
      },
      mixinStandardHelpOptions = true)
  static final class Add extends RegistryAction {
    @Parameters(index = "0", paramLabel = "NAMESPACE", description = "The namespace.")
    private String namespace = "";

    @Parameters(index = "1", paramLabel = "ACCOUNT", description = "The account.")
    private String account = "";

    @Option(
        names = "--role",
        paramLabel = "ROLE",
        description =
            "member (publishes, submits jobs) or owner (also manages members and visibility)."
                + " Default: member.")
    private Role role = Role.MEMBER;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Member member = client.namespaces().putMember(namespace, account, role);
      output.print(
          member,
          out ->
              out.printf("%s is %s of %s%n", member.account(), Label.of(member.role()), namespace));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List the members of a namespace.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Parameters(paramLabel = "NAMESPACE", description = "The namespace.")
    private String namespace = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<Member> members = client.namespaces().members(namespace);
      output.print(
          members,
          out -> {
            Table table = new Table("ACCOUNT", "ROLE");
            members.forEach(member -> table.row(member.account(), Label.of(member.role())));
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  @Command(
      name = "remove",
      aliases = "rm",
      description = "Remove a member; for owners.",
      mixinStandardHelpOptions = true)
  static final class Remove extends RegistryAction {
    @Parameters(index = "0", paramLabel = "NAMESPACE", description = "The namespace.")
    private String namespace = "";

    @Parameters(index = "1", paramLabel = "ACCOUNT", description = "The account.")
    private String account = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      client.namespaces().removeMember(namespace, account);
      output.print(
          Map.of("namespace", namespace, "removed", account),
          out -> out.printf("removed %s from %s%n", account, namespace));
      return ExitCode.OK;
    }
  }
}
