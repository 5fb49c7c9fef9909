package dev.nola.cli.team;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Table;
import dev.nola.digest.Sha256;
import dev.nola.text.Label;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Keys with which workers sign attestations. */
@Command(
    name = "key",
    description = "List, approve and revoke the keys that workers sign with.",
    mixinStandardHelpOptions = true,
    subcommands = {
      KeyCommand.ListAll.class,
      KeyCommand.Show.class,
      KeyCommand.Approve.class,
      KeyCommand.Revoke.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "A worker prints the fingerprint of its key when it starts.",
      "",
      "Examples:",
      "  nola key list --state pending",
      "  nola key approve sha256:… --expires 365d"
    })
public final class KeyCommand {
  private static final String FINGERPRINT = "FINGERPRINT";
  private static final String DESCRIPTION = "Fingerprint of the key: sha256: and 64 hex digits.";

  private KeyCommand() {}

  @Command(
      name = "list",
      aliases = "ls",
      description = "List keys, oldest first.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends RegistryAction {
    @Option(
        names = "--state",
        paramLabel = "STATE",
        description = "Only keys in this state: pending, approved, expired or revoked.")
    private WorkerKey.@Nullable State state;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<WorkerKey> keys =
          AllPages.read("keys", Texts.MAX_LISTED, client.workerKeys()::list).stream()
              .filter(key -> state == null || key.state() == state)
              .toList();
      output.print(
          keys,
          out -> {
            Table table =
                new Table(
                    "FINGERPRINT", "STATE", "ACCOUNT", "REGISTERED", "EXPIRES", "DESCRIPTION");
            for (WorkerKey key : keys) {
              table.row(
                  key.fingerprint().toString(),
                  Label.of(key.state()),
                  key.account(),
                  Texts.ago(key.registeredAt()),
                  Texts.time(key.expiresAt()),
                  key.description());
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  @Command(name = "show", description = "Show a key.", mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Parameters(paramLabel = FINGERPRINT, description = DESCRIPTION)
    private String fingerprint = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      return print(client.workerKeys().get(Sha256.parse(fingerprint)));
    }

    private int print(WorkerKey key) {
      output.print(
          key,
          out -> {
            Table table =
                new Table()
                    .row("fingerprint", key.fingerprint().toString())
                    .row("state", Label.of(key.state()))
                    .row("account", key.account())
                    .row("description", key.description())
                    .row("registered", Texts.time(key.registeredAt()));
            if (key.approvedBy() != null) {
              table.row("approved", Texts.time(key.approvedAt()) + " by " + key.approvedBy());
            }
            if (key.expiresAt() != null) {
              table.row("expires", Texts.time(key.expiresAt()));
            }
            if (key.revokeReason() != null) {
              table.row("revoked", Texts.time(key.revokedAt()) + ": " + key.revokeReason());
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  @Command(
      name = "approve",
      description =
          "Approve a key, or change its expiry; for admins, who first make sure that it is the"
              + " worker's.",
      mixinStandardHelpOptions = true)
  static final class Approve extends RegistryAction {
    @Parameters(paramLabel = FINGERPRINT, description = DESCRIPTION)
    private String fingerprint = "";

    @Option(
        names = "--expires",
        paramLabel = "TIME",
        converter = Expiry.class,
        description = "When the approval ends: days such as 365d, or a date. Default: never.")
    private @Nullable Instant expiresAt;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      WorkerKey key = client.workerKeys().approve(Sha256.parse(fingerprint), expiresAt);
      output.print(key, out -> out.printf("approved %s of %s%n", key.fingerprint(), key.account()));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "revoke",
      description =
          "Revoke a key permanently: nothing that it ever signed counts any more; for admins.",
      mixinStandardHelpOptions = true)
  static final class Revoke extends RegistryAction {
    @Parameters(paramLabel = FINGERPRINT, description = DESCRIPTION)
    private String fingerprint = "";

    @Option(
        names = "--reason",
        required = true,
        paramLabel = "TEXT",
        description = "Reason, for everyone to read.")
    private String reason = "";

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      WorkerKey key = client.workerKeys().revoke(Sha256.parse(fingerprint), reason);
      output.print(key, out -> out.printf("revoked %s of %s%n", key.fingerprint(), key.account()));
      return ExitCode.OK;
    }
  }
}
