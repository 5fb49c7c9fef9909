package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.Signer;
import dev.nola.client.lock.JUnitReport;
import dev.nola.client.lock.LockCheck;
import dev.nola.client.lock.LockFile;
import dev.nola.client.lock.LockReport;
import dev.nola.client.lock.MarkdownReport;
import dev.nola.client.oci.OciClient;
import dev.nola.client.oci.OciPulled;
import dev.nola.client.oci.OciReference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.AdapterSource;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.digest.Sha256;
import dev.nola.files.Destination;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Reconstructs adapters and compares their bits with those that their authors had. */
@Command(
    name = "verify",
    description = {
      "Reconstruct an adapter and compare the bits with its author's digest; for a reference, also"
          + " check the attestations of other machines.",
      "With --lock: download every adapter of a lock file again, reconstruct it on every backend,"
          + " and compare it with the lock, bit for bit."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola verify adapter.nola --json",
      "  nola verify adapter.nola --backend cuda",
      "  nola verify acme/mood@1.2.0 --require-verified 2",
      "  nola verify oci://ghcr.io/acme/mood:1.2.0 --key sha256:…",
      "  nola verify --lock nola.lock --junit report.xml --summary summary.md"
    })
final class VerifyCommand implements Callable<Integer> {
  @ArgGroup(multiplicity = "1")
  private What what = new What();

  /** One adapter, or a lock file. */
  private static final class What {
    @Parameters(paramLabel = "FILE_OR_REF", description = "The adapter.")
    private @Nullable String adapter;

    @Option(names = "--lock", paramLabel = "FILE", description = "The lock file.")
    private @Nullable Path lock;
  }

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      completionCandidates = LocalBackends.Names.class,
      description =
          "Reconstruct on this backend: scalar, vector or cuda, an NVIDIA GPU (default: the"
              + " fastest on the CPU; with --lock, all that this machine has).")
  private @Nullable String backend;

  @Option(
      names = "--junit",
      converter = OutputPath.class,
      paramLabel = "FILE",
      description = "With --lock: write a JUnit XML report; its folder is created.")
  private @Nullable Path junit;

  @Option(
      names = "--summary",
      converter = OutputPath.class,
      paramLabel = "FILE",
      description =
          "With --lock: append a summary in Markdown to this file; its folder is created.")
  private @Nullable Path summary;

  @Option(
      names = "--allow-yanked",
      description = "With --lock: accept versions that were yanked (default: refuse them).")
  private boolean allowYanked;

  @Mixin private Trust trust = new Trust();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path lock = what.lock;
    if (lock != null) {
      if (trust.isGiven()) {
        throw new ParameterException(
            output.command().commandLine(),
            "--require-verified and --key do not go with --lock: the lock file states them");
      }
      if (source.isOffline()) {
        throw new ParameterException(
            output.command().commandLine(),
            "--offline does not go with --lock, which downloads every adapter again");
      }
      return verify(lock);
    }
    if (junit != null || summary != null || allowYanked) {
      throw new ParameterException(
          output.command().commandLine(), "--junit, --summary and --allow-yanked require --lock");
    }
    String adapter = what.adapter == null ? "" : what.adapter;
    if (OciReference.isMeantBy(adapter)) {
      return verify(OciReference.parse(adapter));
    }
    int required = trust.required(output);
    if (AdapterSource.isFile(adapter)) {
      if (required > 0) {
        throw new ParameterException(
            output.command().commandLine(),
            "--require-verified and --key apply to references only; attestations are stored in a"
                + " registry");
      }
      Path path =
          AdapterSource.requireAdapterFile(
              Path.of(adapter), ", and states no digest that could be verified");
      String root =
          reconstruct(adapter, AdapterSource.naming(adapter, () -> AdapterFile.read(path)));
      output.print(new Verified(true, root, null), out -> out.println("verified: " + root));
      return 0;
    }
    Pulled pulled = source.pull(Reference.parse(adapter), output);
    String name = pulled.pinned().toString();
    AdapterFile file = AdapterSource.naming(name, pulled::open);
    String root = reconstruct(name, file);
    report(name, root, attested(pulled, file, required > 0), required);
    return 0;
  }

  private int verify(OciReference reference) throws IOException, InterruptedException {
    int required = trust.requiredByKeys("an oci:// reference", output);
    OciPulled pulled = source.pull(reference, output);
    String name = pulled.pinned().toString();
    AdapterFile file = AdapterSource.naming(name, pulled::open);
    String root = reconstruct(name, file);
    Attested attested = null;
    if (required > 0) {
      try (OciClient client = source.client(reference, output)) {
        attested =
            Attested.ofEnvelopes(
                pulled.digest(), file, client.attestations(pulled.pinned()), trust.keys());
      }
    }
    report(name, root, attested, required);
    return 0;
  }

  /**
   * Prints the verified digest and who attests it.
   *
   * @param attested the checked attestations; null if they were not requested
   * @throws NotAttestedException if they do not meet the requirement
   */
  private void report(String name, String root, @Nullable Attested attested, int required)
      throws IOException {
    List<String> failures = attested == null ? List.of() : attested.failures(required);
    if (!failures.isEmpty()) {
      throw new NotAttestedException(name, failures);
    }
    if (attested != null) {
      attested.disputes().forEach(dispute -> output.warn(name + " is disputed: " + dispute));
    }
    output.print(
        new Verified(true, root, attested == null ? null : Attestations.of(attested)),
        out -> {
          out.println("verified: " + root);
          if (attested != null) {
            out.printf("attested: %s%n", sentence(attested));
            attested.signers().forEach(signer -> out.println("  " + signer));
            if (!attested.disputes().isEmpty()) {
              out.println(
                  "disputed: by %s; this machine got the file's bits"
                      .formatted(Output.count(attested.disputes().size(), "attestation")));
            }
          }
        });
  }

  private String reconstruct(String name, AdapterFile file) throws IOException {
    try (LocalBackends backends =
        backend == null ? LocalBackends.fastestOfCpu() : LocalBackends.open(backend)) {
      Backend only = backends.all().getFirst();
      return AdapterSource.naming(name, () -> only.verify(file)).root().toString();
    }
  }

  /** What the registry has of others' word, checked; null if it is not asked, and need not be. */
  private @Nullable Attested attested(Pulled pulled, AdapterFile file, boolean isNeeded)
      throws IOException, InterruptedException {
    if (source.isOffline() && !isNeeded) {
      return null;
    }
    try (NolaClient client = source.client(source.registry(output), output)) {
      return Attested.fetch(client, pulled.pinned(), pulled.digest(), file, trust.keys());
    } catch (RegistryException e) {
      if (isNeeded || e.kind() != RegistryException.Kind.UNAVAILABLE) {
        throw e;
      }
      output.warn("could not fetch attestations: " + e.getMessage());
      return null;
    }
  }

  private static String sentence(Attested attested) {
    if (attested.independent() == 0) {
      return "by no other machine" + (attested.pinned() ? " with the given keys" : "");
    }
    return "by %s (%s), %s%s"
        .formatted(
            Output.count(attested.independent(), "independent machine"),
            String.join(", ", attested.backends()),
            attested.pinned() ? "with the given keys" : "with keys that the registry trusts",
            attested.notIndependent());
  }

  private record Verified(
      boolean ok, String reconstructionDigest, @Nullable Attestations attestations) {}

  /**
   * What {@code --json} says of them.
   *
   * @param signers who attests a match
   * @param trust {@code registry} or {@code given}
   */
  private record Attestations(
      int independent,
      List<String> backends,
      List<String> keys,
      List<Signer> signers,
      String trust,
      List<String> disputes,
      List<String> passedOver) {
    static Attestations of(Attested attested) {
      return new Attestations(
          attested.independent(),
          attested.backends(),
          attested.keys().stream().map(Sha256::toString).toList(),
          attested.signers(),
          attested.pinned() ? "given" : "registry",
          attested.disputes(),
          attested.rejected().stream().map(Attested.Rejected::toString).toList());
    }
  }

  private int verify(Path path) throws IOException, InterruptedException {
    LockFile lock = LockFile.read(path);
    Path folder = path.toAbsolutePath().getParent();
    prepare(junit);
    prepare(summary);
    LockReport report;
    try (LocalBackends backends =
        backend == null ? LocalBackends.available(output) : LocalBackends.open(backend)) {
      report = new LockCheck(new Fetching(folder), backends.all(), allowYanked).run(lock);
    }
    if (junit != null) {
      JUnitReport.write(report, junit);
    }
    if (summary != null) {
      // Appended: other commands may have written to the same file.
      Files.writeString(
          summary, MarkdownReport.of(report), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    output.print(
        Map.of("ok", report.passed(), "adapters", report.results().stream().map(Line::of).toList()),
        out -> print(report, out));
    if (report.passed()) {
      return ExitCode.OK;
    }
    if (!report.hasErrorsOnly()) {
      return ExitCode.REFUSED;
    }
    return report.lacksGpuMemory() ? ExitCode.UNREADABLE : ExitCode.REGISTRY;
  }

  /** Creates the folder of a report, so that the work before it is not lost. */
  private static void prepare(@Nullable Path report) throws IOException {
    if (report != null) {
      Files.createDirectories(report.toAbsolutePath().normalize().getParent());
      Destination.requireFile(report);
    }
  }

  /** A result in JSON. */
  private record Line(String adapter, boolean ok, List<LockReport.Check> checks) {
    static Line of(LockReport.Result result) {
      return new Line(result.entry().source(), result.passed(), result.checks());
    }
  }

  private static void print(LockReport report, PrintWriter out) {
    for (LockReport.Result result : report.results()) {
      out.printf("%s %s%n", word(result), result.entry().source());
      for (LockReport.Check check : result.checks()) {
        String word =
            switch (check.outcome()) {
              case PASSED -> "ok    ";
              case SKIPPED -> "skip  ";
              case FAILED -> "failed";
              case ERROR -> "error ";
            };
        out.printf("  %s %s%n", word, check.name());
        String reason = check.reason();
        if (reason != null) {
          reason.lines().forEach(line -> out.println("         " + line));
        }
      }
    }
  }

  private static String word(LockReport.Result result) {
    return result.passed() ? "verified" : result.refuted() ? "FAILED  " : "UNKNOWN ";
  }

  /** Gets locked adapters from where the lock says that they are. */
  private final class Fetching implements LockCheck.Source {
    private final Path folder;

    Fetching(Path folder) {
      this.folder = folder;
    }

    @Override
    public LockCheck.Fetched fetch(LockFile.Entry entry) throws IOException, InterruptedException {
      if (entry.registry() == null) {
        try {
          return new LockCheck.Fetched(Files.readAllBytes(folder.resolve(entry.source())), null);
        } catch (NoSuchFileException e) {
          throw new IOException(e.getFile() + ": no such file", e);
        }
      }
      try (NolaClient client = source.client(entry.registry(), output);
          ProgressBar bar = output.bar("fetch")) {
        client.cache().remove(entry.digest()); // to check the bytes that the registry sends now
        Pulled pulled = client.pull(Reference.parse(entry.source()), bar);
        AdapterSource.warnOfDispute(pulled, output);
        return new LockCheck.Fetched(Files.readAllBytes(pulled.path()), pulled.yanked());
      }
    }

    @Override
    public Attested attested(LockFile.Entry entry, AdapterFile file)
        throws IOException, InterruptedException {
      if (entry.registry() == null) {
        throw new IOException("locked as a local file, which has no attestations");
      }
      try (NolaClient client = source.client(entry.registry(), output)) {
        return Attested.fetch(
            client, Reference.parse(entry.source()), entry.digest(), file, entry.keys());
      }
    }
  }
}
