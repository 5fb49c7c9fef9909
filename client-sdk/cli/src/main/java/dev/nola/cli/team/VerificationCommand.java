package dev.nola.cli.team;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Verifications by workers, asked for after a version was published. */
@Command(
    name = "verification",
    description = "Ask workers to verify versions again, or by more keys; for admins.",
    mixinStandardHelpOptions = true,
    subcommands = {VerificationCommand.Request.class, VerificationCommand.Show.class},
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Example:", "  nola verification request acme/mood@1.2.0 --copies 2"})
public final class VerificationCommand {
  private VerificationCommand() {}

  @Command(
      name = "request",
      description = {
        "Ask workers to verify versions, also those that have attestations already.",
        "With --copies 2, two workers with different keys verify each version on each backend, which"
            + " --require-verified 2 needs."
      },
      mixinStandardHelpOptions = true)
  static final class Request extends RegistryAction {
    @Parameters(
        arity = "0..*",
        paramLabel = "REF",
        description =
            "NAMESPACE/NAME for all versions of an adapter, or followed by @ and a version. Default:"
                + " all versions that the options select.")
    private List<String> references = List.of();

    @Option(
        names = "--namespace",
        paramLabel = "NAMESPACE",
        description = "Only versions of this namespace.")
    private @Nullable String namespace;

    @Option(
        names = "--base",
        paramLabel = "NAME",
        description = "Only versions for this base model.")
    private @Nullable String base;

    @Option(
        names = "--generator",
        paramLabel = "NAME",
        description = "Only versions with this generator, such as philox-srht.")
    private @Nullable String generator;

    @Option(
        names = "--backend",
        split = ",",
        paramLabel = "NAME",
        completionCandidates = JobSubmitCommand.Backends.class,
        description =
            "Verify on this backend: scalar, vector, torch or cuda. May be repeated. Default: those"
                + " used after publishing.")
    private @Nullable List<String> backends;

    @Option(
        names = "--copies",
        paramLabel = "N",
        description =
            "Verifications of each version on each backend, by different keys. Default: the"
                + " registry's nola.verification.copies.")
    private @Nullable Integer copies;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<VerificationRequest> requests = new ArrayList<>();
      if (references.isEmpty()) {
        requests.add(request(null, null));
      }
      for (String text : references) {
        Reference reference = Reference.parse(text);
        requests.add(
            request(
                reference.adapter().toString(),
                text.contains("@") ? client.adapters().version(reference).version() : null));
      }
      // Not before all references are resolved: a wrong one must not leave others requested.
      List<VerificationReport> reports = new ArrayList<>();
      for (VerificationRequest request : requests) {
        reports.add(client.verifications().request(request));
      }
      output.print(
          reports,
          out -> {
            for (VerificationReport report : reports) {
              out.printf(
                  "verification %1$s: %2$s; to see how far it is: nola verification show %1$s%n",
                  report.id(), Output.count(report.versions(), "version"));
            }
          });
      return ExitCode.OK;
    }

    private VerificationRequest request(@Nullable String adapter, @Nullable String version) {
      return new VerificationRequest(
          namespace, base, generator, backends, copies, adapter, version);
    }
  }

  @Command(
      name = "show",
      description = "Show how far requested verifications are, and what they found.",
      mixinStandardHelpOptions = true)
  static final class Show extends RegistryAction {
    @Parameters(
        paramLabel = "ID",
        converter = Id.class,
        description = "The id in full, as nola verification request printed it.")
    private UUID id = new UUID(0, 0);

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      VerificationReport report = client.verifications().report(id);
      output.print(report, out -> print(report, out));
      return ExitCode.OK;
    }

    private static void print(VerificationReport report, PrintWriter out) {
      out.printf(
          "%s: %s, requested %s by %s%n",
          report.finished() ? "finished" : "waiting",
          Output.count(report.versions(), "version"),
          Texts.time(report.createdAt()),
          report.createdBy());
      Table table =
          new Table("BACKEND", "WAITING", "MATCHED", "MISMATCHED", "UNSUPPORTED", "FAILED");
      for (VerificationReport.Backend backend : report.backends()) {
        table.row(
            backend.backend(),
            Long.toString(backend.waiting()),
            Long.toString(backend.matched()),
            Long.toString(backend.mismatched()),
            Long.toString(backend.unsupported()),
            Long.toString(backend.failed()));
      }
      table.print(out);
      report.mismatched().forEach(version -> out.println("mismatched: " + version));
    }
  }
}
