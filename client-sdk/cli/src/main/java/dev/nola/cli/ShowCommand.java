package dev.nola.cli;

import dev.nola.api.AdapterDetails;
import dev.nola.api.Attestations;
import dev.nola.api.Comparison;
import dev.nola.api.Page;
import dev.nola.api.Verification;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.InvalidAttestationException;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Statement;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.Signer;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.command.Table;
import dev.nola.command.YankedVersions;
import dev.nola.text.Label;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows an adapter or a version of it. */
@Command(
    name = "show",
    description = "Show an adapter in a registry and one of its versions.",
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  nola show acme/mood", "  nola show acme/mood@prod --json"})
final class ShowCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "REF",
      description = "NAMESPACE/NAME, optionally followed by @ and a version (default: the latest).")
  private String reference = "";

  @Option(names = "--versions", description = "List all versions instead.")
  private boolean versions;

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Reference asked = Reference.parse(reference);
    try (NolaClient client = registry.client(output)) {
      if (versions) {
        List<VersionSummary> all = YankedVersions.all(client, asked.adapter());
        output.print(all, out -> print(all, out));
      } else {
        AdapterDetails adapter = client.adapters().get(asked.adapter());
        if (adapter.latest() == null && asked.version().equals(Reference.LATEST)) {
          List<VersionSummary> all = YankedVersions.all(client, asked.adapter());
          output.print(new Shown(adapter, null), out -> print(asked.adapter(), adapter, all, out));
          return 0;
        }
        VersionDetails version =
            YankedVersions.explaining(client, asked, () -> client.adapters().version(asked));
        Signers signers =
            output.isJson() || version.attestations().independent() == 0
                ? Signers.NONE
                : signers(client, new Reference(asked.adapter(), version.version()));
        output.print(new Shown(adapter, version), out -> print(adapter, version, signers, out));
        if (version.disputed()) {
          output.warn(
              "%s@%s is disputed: a worker attests other bits, unconfirmed"
                  .formatted(asked.adapter(), version.version()));
        }
      }
    }
    return 0;
  }

  private record Shown(AdapterDetails adapter, @Nullable VersionDetails version) {}

  private static void print(List<VersionSummary> versions, PrintWriter out) {
    Table table = new Table("VERSION", "SIZE", "STATE", "DOWNLOADS", "PUBLISHED", "DIGEST");
    for (VersionSummary version : versions) {
      table.row(
          version.version(),
          Output.bytes(version.size()),
          state(version),
          Long.toString(version.downloads()),
          version.publishedAt() + " by " + version.publishedBy(),
          version.digest().toString());
    }
    table.print(out);
  }

  private static String state(VersionSummary version) {
    return version.yanked() == null ? status(version.verification(), version.disputed()) : "yanked";
  }

  /** Prints an adapter whose versions are all yanked. */
  private static void print(
      AdapterName name, AdapterDetails adapter, List<VersionSummary> versions, PrintWriter out) {
    Table table = new Table();
    boolean allYanked = versions.stream().allMatch(version -> version.yanked() != null);
    add(table, adapter, allYanked ? "none: all versions are yanked" : "none");
    for (VersionSummary version : versions) {
      String reason = version.yanked() == null ? "" : ": " + version.yanked().reason();
      add(table, "version", "%s, %s%s".formatted(version.version(), state(version), reason));
    }
    versions.stream()
        .filter(version -> version.yanked() != null)
        .findFirst()
        .ifPresent(version -> add(table, "to undo", YankedVersions.undo(name, version.version())));
    table.print(out);
  }

  private static void add(Table table, AdapterDetails adapter, String latest) {
    add(table, "adapter", adapter.namespace() + "/" + adapter.name());
    add(table, "description", adapter.description());
    add(table, "visibility", Label.of(adapter.visibility()));
    add(table, "latest", latest);
    adapter.aliases().forEach((alias, to) -> add(table, "alias", alias + " = " + to));
    add(table, "downloads", Long.toString(adapter.downloads()));
  }

  /**
   * Reads who attests a version, on the word of the registry; nola verify checks it. One page is
   * enough for people, however many attestations the version has.
   */
  private Signers signers(NolaClient client, Reference version)
      throws IOException, InterruptedException {
    Page<Attestation> page = client.adapters().attestations(version, null);
    List<Attested.Holding> matches = new ArrayList<>();
    for (Attestation attestation : page.items()) {
      if (attestation.counts() && attestation.outcome() == Outcome.MATCH) {
        try {
          byte[] statement = Base64.getDecoder().decode(attestation.envelope().payload());
          matches.add(new Attested.Holding(attestation.key(), Statement.parse(statement)));
        } catch (InvalidAttestationException | IllegalArgumentException e) {
          output.warn(
              "attestation %d cannot be read: %s".formatted(attestation.id(), e.getMessage()));
        }
      }
    }
    return new Signers(Signer.of(matches), page.next() == null);
  }

  /**
   * The signers of a version.
   *
   * @param shown those in the first page of attestations
   * @param isComplete whether no other page follows
   */
  private record Signers(List<Signer> shown, boolean isComplete) {
    static final Signers NONE = new Signers(List.of(), true);
  }

  private static void print(
      AdapterDetails adapter, VersionDetails version, Signers signers, PrintWriter out) {
    Comparison comparison = version.comparison();
    Table table = new Table();
    add(table, adapter, adapter.latest() == null ? "" : adapter.latest());
    add(table, "version", version.version());
    add(table, "digest", version.digest().toString());
    add(table, "size", Output.bytes(version.size()));
    if (comparison.loraBytes() != null && comparison.loraRatio() != null) {
      add(
          table,
          "",
          share(comparison.loraRatio(), "a LoRA of the same rank", comparison.loraBytes()));
    }
    add(
        table,
        "",
        share(comparison.tensorRatio(), "the adapted tensors", comparison.tensorBytes()));
    add(table, "verification", status(version.verification(), version.disputed()));
    Attestations attested = version.attestations();
    if (attested.independent() > 0) {
      add(
          table,
          "",
          "by %s: %s"
              .formatted(
                  Output.count(attested.independent(), "independent machine"),
                  String.join(", ", attested.backends())));
      signers.shown().forEach(signer -> add(table, "", signer.toString()));
      if (!signers.isComplete()) {
        add(table, "", "perhaps others; nola verify lists all");
      }
    }
    if (attested.mismatches() > 0) {
      add(table, "", "different bits by " + Output.count(attested.mismatches(), "attestation"));
    }
    if (version.yanked() != null) {
      add(table, "yanked", version.yanked().reason());
    }
    add(table, "published", version.publishedAt() + " by " + version.publishedBy());
    add(table, "generator", version.contents().generator());
    add(table, "base", version.contents().base().name());
    add(table, "layers", Integer.toString(version.contents().layers().size()));
    add(table, "reconstruction", version.contents().reconstructionDigest().toString());
    table.print(out);
  }

  private static void add(Table table, String what, String value) {
    if (!value.isEmpty()) {
      table.row(what, value);
    }
  }

  private static String status(Verification verification, boolean disputed) {
    return Label.of(verification) + (disputed ? ", DISPUTED" : "");
  }

  /**
   * Says how a file's size compares with another: as a percentage while they are of one order, as a
   * factor beyond.
   *
   * @param ratio the other size divided by the file's
   * @param whole what has the other size
   * @param bytes the other size
   */
  static String share(double ratio, String whole, long bytes) {
    String share;
    if (ratio >= 10) {
      share = String.format(Locale.ROOT, "1/%.0f of", ratio);
    } else if (ratio > 0.5) {
      share = String.format(Locale.ROOT, "%.0f %% of", 100 / ratio);
    } else {
      share = String.format(Locale.ROOT, "%.1f times", 1 / ratio);
    }
    return "%s the size of %s in 16 bits, %s".formatted(share, whole, Output.bytes(bytes));
  }
}
