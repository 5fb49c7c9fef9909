package dev.nola.cli;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.client.RegistryUrl;
import dev.nola.client.mirror.Mirror;
import dev.nola.client.mirror.MirrorReport;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** Keeps a copy of adapters in step with another registry. */
@Command(
    name = "mirror",
    description = {
      "Keep a read-only copy of adapters in step with the registry that they come from.",
      "Copies versions, yanks, attestations, aliases and descriptions, and undoes other changes of the"
          + " copy. A version that was deleted is yanked in the copy. Each round compares both"
          + " registries, so that it can be interrupted and repeated.",
      "Attestations are copied once an admin of the copy's registry has approved their keys, which are"
          + " reported. The namespaces must exist there, and your token be able to publish in them."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Fails with exit code 4 if an adapter is not in step after the round; others are copied.",
      "NOLA_TOKEN is sent to NOLA_REGISTRY only; log in to the other registry with nola login.",
      "",
      "Examples:",
      "  nola mirror --from https://nola.example --to https://inside.example --namespace acme",
      "  nola mirror --from … --to … --adapter acme/mood --adapter acme/tone --every 10m"
    })
final class MirrorCommand implements Callable<Integer> {
  @Option(
      names = "--from",
      required = true,
      paramLabel = "URL",
      description = "The registry to copy from.")
  private URI from = URI.create("");

  @Option(
      names = "--to",
      required = true,
      paramLabel = "URL",
      description = "The registry to copy to.")
  private URI to = URI.create("");

  @Option(
      names = "--namespace",
      paramLabel = "NAMESPACE",
      description = "Copy all adapters of this namespace. May be repeated.")
  private List<String> namespaces = new ArrayList<>();

  @Option(
      names = "--adapter",
      paramLabel = "NAMESPACE/NAME",
      description = "Copy this adapter. May be repeated.")
  private List<String> adapters = new ArrayList<>();

  @ArgGroup private When when = new When();

  /** One round, or one after another. */
  private static final class When {
    @Option(names = "--once", description = "End after one round (default).")
    private boolean once;

    @Option(
        names = "--every",
        paramLabel = "TIME",
        converter = Interval.class,
        description =
            "Repeat until interrupted, and pause for this time after each round: such as 30s, 10m or"
                + " 1h.")
    private @Nullable Duration interval;
  }

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (namespaces.isEmpty() && adapters.isEmpty()) {
      throw wrong("missing --namespace or --adapter; name what to copy");
    }
    Duration interval = when.interval;
    if (interval != null && output.isJson()) {
      throw wrong("--json does not apply to --every: it prints one document");
    }
    namespaces.forEach(NameRule.NAMESPACE::require);
    List<AdapterName> names = adapters.stream().map(AdapterName::parse).toList();
    if (RegistryUrl.normalize(from).equals(RegistryUrl.normalize(to))) {
      throw wrong("--from and --to are the same registry: %s; name two".formatted(to));
    }
    RegistryOption registry = new RegistryOption();
    try (NolaClient source = registry.client(from, false, output);
        NolaClient target = registry.client(to, false, output)) {
      Mirror mirror = new Mirror(source, target);
      if (interval == null) {
        return once(mirror, names);
      }
      while (true) {
        round(mirror, names, new ArrayList<>());
        Thread.sleep(interval);
      }
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(output.command().commandLine(), message);
  }

  private int once(Mirror mirror, List<AdapterName> names)
      throws IOException, InterruptedException {
    List<MirrorReport> reports = new ArrayList<>();
    boolean isInStep = round(mirror, names, reports);
    if (output.isJson()) {
      output.print(new Result(isInStep, reports), _ -> {});
    }
    return isInStep ? ExitCode.OK : ExitCode.REGISTRY;
  }

  /**
   * What {@code --json} prints.
   *
   * @param inStep whether the copy equals the original
   * @param reports those with something to say
   */
  private record Result(boolean inStep, List<MirrorReport> reports) {}

  /** Copies what changed, and prints it as it happens. */
  private boolean round(Mirror mirror, List<AdapterName> names, List<MirrorReport> reports)
      throws IOException, InterruptedException {
    SortedSet<Sha256> unapproved = new TreeSet<>();
    boolean isInStep =
        mirror.round(
            namespaces,
            names,
            report -> {
              if (hasContent(report)) {
                reports.add(report);
                print(report);
                unapproved.addAll(report.unapproved());
              }
            });
    unapproved.forEach(
        key ->
            output.warn(
                "key not approved in %s: %s; its attestations are copied once an admin there has run nola key approve %s"
                    .formatted(to, key, key)));
    if (reports.stream().allMatch(report -> report.changes().isEmpty()) && isInStep) {
      output.message("in step: nothing to copy");
    }
    return isInStep;
  }

  private static boolean hasContent(MirrorReport report) {
    return !(report.changes().isEmpty()
        && report.unapproved().isEmpty()
        && report.warnings().isEmpty()
        && report.problems().isEmpty());
  }

  private void print(MirrorReport report) {
    if (!output.isJson()) {
      report.changes().forEach(change -> output.log(report.subject() + ": " + change));
    }
    report.warnings().forEach(warning -> output.warn(report.subject() + ": " + warning));
    report
        .problems()
        .forEach(
            problem ->
                output
                    .console()
                    .printableErr()
                    .printf("nola mirror: %s: %s%n", report.subject(), problem));
  }

  /** Reads a time such as {@code 10m}. */
  static final class Interval implements ITypeConverter<Duration> {
    private static final Pattern TIME = Pattern.compile("([1-9][0-9]{0,4})([smh])");

    @Override
    public Duration convert(String text) {
      Matcher time = TIME.matcher(text);
      if (!time.matches()) {
        throw new TypeConversionException(
            "invalid time: " + text + "; must be a number and s, m or h, such as 10m");
      }
      return Duration.parse("PT" + time.group(1) + time.group(2).toUpperCase(Locale.ROOT));
    }
  }
}
