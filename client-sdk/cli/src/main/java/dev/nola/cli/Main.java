package dev.nola.cli;

import dev.nola.cli.team.AccountCommand;
import dev.nola.cli.team.AdapterCommand;
import dev.nola.cli.team.DatasetCommand;
import dev.nola.cli.team.JobCommand;
import dev.nola.cli.team.KeyCommand;
import dev.nola.cli.team.MemberCommand;
import dev.nola.cli.team.ModelCommand;
import dev.nola.cli.team.NamespaceCommand;
import dev.nola.cli.team.TokenCommand;
import dev.nola.cli.team.VerificationCommand;
import dev.nola.cli.team.WebhookCommand;
import dev.nola.cli.team.WorkerCommand;
import dev.nola.command.Console;
import dev.nola.command.Failure;
import dev.nola.command.Failures;
import dev.nola.command.HelpCommand;
import dev.nola.command.RootCommand;
import dev.nola.format.AdapterFile;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands for adapters and registries. */
@Command(
    name = "nola",
    description =
        "Adapters stored as a seed and a few hundred coefficients, reconstructed bit-exactly.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      InspectCommand.class,
      VerifyCommand.class,
      ReconstructCommand.class,
      MergeCommand.class,
      ExportCommand.class,
      ImportPeftCommand.class,
      DequantizeCommand.class,
      DiffCommand.class,
      SynthCommand.class,
      PullCommand.class,
      PublishCommand.class,
      PushCommand.class,
      BundleCommand.class,
      MirrorCommand.class,
      SearchCommand.class,
      ShowCommand.class,
      AdapterCommand.class,
      AliasCommand.class,
      YankCommand.class,
      LoginCommand.class,
      LogoutCommand.class,
      WhoamiCommand.class,
      CacheCommand.class,
      LockCommand.class,
      TokenCommand.class,
      AccountCommand.class,
      NamespaceCommand.class,
      MemberCommand.class,
      WebhookCommand.class,
      KeyCommand.class,
      VerificationCommand.class,
      ModelCommand.class,
      DatasetCommand.class,
      JobCommand.class,
      WorkerCommand.class,
      CompletionCommand.class,
      HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "With --json a command prints one JSON document, also if it fails; help and the version are"
          + " text.",
      "Environment: NOLA_REGISTRY (URL), NOLA_TOKEN (sent to that registry only), NOLA_CACHE and"
          + " NOLA_CONFIG (folders), NO_COLOR."
    })
public final class Main extends RootCommand {
  private static final Failures FAILURES = Failures.STANDARD.with(Main::failure);

  /**
   * Creates the program, to be run by {@link #execute}.
   *
   * @param console its streams and environment
   */
  public Main(Console console) {
    super(console, FAILURES, LauncherCommands.all());
  }

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    RootCommand.main(Main::new, args);
  }

  private static @Nullable Failure failure(Exception exception) {
    return switch (exception) {
      case HintedException hinted -> FAILURES.of(hinted.failure()).with(hinted.hint());
      case NotAttestedException refused -> Failures.refused("not-attested", refused);
      case RefusedAttestationException refused -> Failures.refused("invalid-attestation", refused);
      default -> null;
    };
  }

  /** The version of this program and of the format. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "nola %s, adapter format %s"
            .formatted(version == null ? "(not packaged)" : version, AdapterFile.VERSION)
      };
    }
  }
}
