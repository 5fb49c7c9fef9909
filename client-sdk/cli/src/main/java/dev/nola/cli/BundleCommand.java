package dev.nola.cli;

import dev.nola.api.Contents;
import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.Attested;
import dev.nola.client.bundle.Bundle;
import dev.nola.client.bundle.BundleExport;
import dev.nola.client.bundle.BundleImport;
import dev.nola.client.bundle.BundleIndex;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.command.RefusedAdapterException;
import dev.nola.command.RegistryOption;
import dev.nola.command.Table;
import dev.nola.digest.Sha256;
import dev.nola.files.Destination;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Carries versions from one registry to another in a file. */
@Command(
    name = "bundle",
    description = {
      "Write versions of adapters into one file, with descriptions, yanks, aliases, attestations and"
          + " their keys, for a registry without a connection to this one.",
      "The same versions result in the same bytes."
    },
    mixinStandardHelpOptions = true,
    subcommands = {BundleCommand.Show.class, BundleCommand.Import.class},
    footer = {
      "",
      "Examples:",
      "  nola bundle acme/mood@1.0.0 acme/tone@prod -o release.bundle",
      "  nola bundle show release.bundle",
      "  nola bundle import release.bundle --registry https://inside.example --dry-run"
    })
final class BundleCommand implements Callable<Integer> {
  private static final String FILE = "FILE";
  private static final String BUNDLE = "The bundle.";

  @Parameters(
      arity = "0..*", // the commands below have none
      paramLabel = "REF",
      description =
          "The versions: NAMESPACE/NAME, optionally followed by @ and a version, alias, range or"
              + " digest (default: the latest version).")
  private List<String> references = List.of();

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      paramLabel = FILE,
      description = "The bundle to write; must not exist.")
  private @Nullable Path destination;

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path file = destination;
    if (references.isEmpty() || file == null) {
      throw new ParameterException(
          output.command().commandLine(),
          "missing %s; pass REF… --output FILE, or the command show or import"
              .formatted(references.isEmpty() ? "REF" : "--output"));
    }
    Destination.requireNew(file);
    List<Reference> versions = references.stream().map(Reference::parse).toList();
    BundleIndex index;
    try (NolaClient client = registry.client(output);
        ProgressBar bar = output.bar("pull")) {
      index = BundleExport.write(client, versions, file, bar);
    }
    Sha256 digest = Sha256.hash(file);
    output.print(
        new Written(file.toString(), digest, index.versions()),
        out -> {
          index
              .versions()
              .forEach(
                  version ->
                      out.printf(
                          "%s %s, %s%n",
                          version.reference(),
                          version.digest(),
                          Output.count(version.attestations().size(), "attestation")));
          out.printf("wrote %s %s%n", file, digest);
        });
    return 0;
  }

  private record Written(String bundle, Sha256 digest, List<BundleIndex.Version> versions) {}

  @Command(
      name = "show",
      description = {
        "Check a bundle, and show what is in it.",
        "Digests, reconstructions and the attestations' signatures and proofs are checked; that a key"
            + " is a trusted worker's is for you to know."
      },
      mixinStandardHelpOptions = true)
  static final class Show implements Callable<Integer> {
    @Parameters(paramLabel = FILE, description = BUNDLE)
    private Path file = Path.of("");

    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException {
      List<Shown> shown = new ArrayList<>();
      Sha256 digest = Sha256.hash(file);
      try (Bundle bundle = Bundle.open(file)) {
        for (BundleIndex.Version version : bundle.index().versions()) {
          verify(bundle, version, Set.of());
          AdapterFile adapter = bundle.adapter(version);
          SortedSet<Sha256> keys = new TreeSet<>();
          bundle.attestations(version).forEach(each -> keys.add(each.keyId()));
          shown.add(new Shown(version, Contents.of(adapter), keys));
        }
      }
      output.print(
          new Listing(file.toString(), digest, shown),
          out -> {
            for (Shown each : shown) {
              each.table().print(out);
              out.println();
            }
            out.printf("valid: %s %s%n", file, digest);
          });
      return 0;
    }

    private record Listing(String bundle, Sha256 digest, List<Shown> versions) {}

    /**
     * A version that was checked.
     *
     * @param keys that signed attestations of it
     */
    private record Shown(BundleIndex.Version version, Contents contents, SortedSet<Sha256> keys) {
      Table table() {
        Contents.About about = contents.metadata();
        Table table =
            new Table()
                .row("version", version.reference().toString())
                .row("digest", version.digest().toString())
                .row("description", version.description())
                .row("base", contents.base().name())
                .row("license", about.license())
                .row("tags", String.join(", ", about.tags()))
                .row("aliases", String.join(", ", version.aliases()));
        if (version.yanked() != null) {
          table.row("yanked", version.yanked());
        }
        table.row("attestations", Integer.toString(version.attestations().size()));
        keys.forEach(key -> table.row("key", key.toString()));
        return table;
      }
    }
  }

  @Command(
      name = "import",
      description = {
        "Check a bundle, and publish its versions in a registry.",
        "Nothing is published unless every digest, reconstruction and attestation holds, and no version"
            + " has other bytes in the registry. Versions that are there already stay as they are, so"
            + " that an import can be repeated. Attestations count once an admin of the registry has"
            + " approved their keys; then import again."
      },
      mixinStandardHelpOptions = true)
  static final class Import implements Callable<Integer> {
    @Parameters(paramLabel = FILE, description = BUNDLE)
    private Path file = Path.of("");

    @Option(
        names = "--namespace",
        paramLabel = "NAMESPACE",
        description = "Publish all adapters in this namespace (default: in their own).")
    private @Nullable String namespace;

    @Option(names = "--create-namespace", description = "Create namespaces that do not exist.")
    private boolean createNamespace;

    @Option(
        names = "--aliases",
        description = "Point aliases to the versions that they point to in the bundle.")
    private boolean aliases;

    @Option(names = "--dry-run", description = "Only check, and say what would be published.")
    private boolean dryRun;

    @Mixin private Trust trust = new Trust();
    @Mixin private RegistryOption registry = new RegistryOption();
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException, HintedException {
      int required = trust.requiredByKeys("a bundle", output);
      Set<Sha256> trusted = Set.copyOf(trust.keys());
      try (Bundle bundle = Bundle.open(file)) {
        for (BundleIndex.Version version : bundle.index().versions()) {
          Attested attested = verify(bundle, version, trusted);
          List<String> failures = required > 0 ? attested.failures(required) : List.of();
          if (!failures.isEmpty()) {
            throw new NotAttestedException(version.reference().toString(), failures);
          }
        }
        try (NolaClient client = registry.client(output);
            ProgressBar bar = output.bar("publish")) {
          BundleImport plan = BundleImport.plan(bundle, client, namespace);
          if (dryRun) {
            return print(plan);
          }
          if (createNamespace) {
            for (String name : namespaces(plan)) {
              client.namespaces().create(name);
            }
          }
          return print(plan.run(trusted, aliases, bar));
        } catch (RegistryException e) {
          boolean lacksNamespace = e.kind() == RegistryException.Kind.NOT_FOUND && !createNamespace;
          throw new HintedException(
              e, lacksNamespace ? "; pass --create-namespace to create the namespace" : "");
        }
      }
    }

    private static Set<String> namespaces(BundleImport plan) {
      return plan.planned().stream()
          .map(each -> each.reference().adapter().namespace())
          .collect(Collectors.toCollection(TreeSet::new));
    }

    private int print(BundleImport plan) {
      List<Planned> planned =
          plan.planned().stream()
              .map(
                  each ->
                      new Planned(
                          each.reference().toString(),
                          each.isNew(),
                          each.version().digest(),
                          each.version().attestations().size()))
              .toList();
      output.print(
          planned,
          out ->
              planned.forEach(
                  each ->
                      out.printf(
                          "%s %s %s, %s%n",
                          each.isNew ? "would publish" : "present:",
                          each.reference,
                          each.digest,
                          Output.count(each.attestations, "attestation"))));
      return 0;
    }

    private record Planned(String reference, boolean isNew, Sha256 digest, int attestations) {}

    private int print(List<BundleImport.Imported> imported) {
      SortedSet<Sha256> unapproved = new TreeSet<>();
      for (BundleImport.Imported each : imported) {
        unapproved.addAll(each.attestations().unapproved());
        each.attestations()
            .refused()
            .forEach(reason -> output.warn(each.reference() + ": " + reason));
      }
      output.print(
          imported.stream()
              .map(
                  each ->
                      new Published(
                          each.reference().toString(),
                          each.isNew(),
                          each.attestations().added(),
                          each.attestations().unapproved(),
                          each.attestations().refused()))
              .toList(),
          out ->
              imported.forEach(
                  each ->
                      out.printf(
                          "%s %s, %s added%n",
                          each.isNew() ? "published" : "already published:",
                          each.reference(),
                          Output.count(each.attestations().added(), "attestation"))));
      unapproved.forEach(
          key ->
              output.warn(
                  "key not approved: %s; its attestations were not added: ask an admin of the registry for nola key approve %s, and import again"
                      .formatted(key, key)));
      return 0;
    }

    private record Published(
        String reference,
        boolean isNew,
        int attestations,
        SortedSet<Sha256> unapproved,
        List<String> refused) {}
  }

  /** Checks a version, whose name messages about its adapter begin with. */
  private static Attested verify(Bundle bundle, BundleIndex.Version version, Set<Sha256> trusted)
      throws IOException {
    try {
      return bundle.verify(version, trusted);
    } catch (AdapterException e) {
      throw new RefusedAdapterException(version.reference().toString(), e);
    }
  }
}
