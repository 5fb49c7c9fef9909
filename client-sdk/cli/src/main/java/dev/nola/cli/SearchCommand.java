package dev.nola.cli;

import dev.nola.api.AdapterSummary;
import dev.nola.api.Page;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.SearchQuery;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.command.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Searches a registry. */
@Command(
    name = "search",
    description = "Find adapters in a registry.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola search mood --base llama-2-7b --verified"})
final class SearchCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "WORD",
      description =
          "Words to find in the name, description, base model, task or tags (default: all adapters).")
  private List<String> words = List.of();

  @Option(names = "--base", paramLabel = "NAME", description = "Only adapters for this base model.")
  private @Nullable String base;

  @Option(
      names = "--namespace",
      paramLabel = "NAME",
      description = "Only adapters in this namespace.")
  private @Nullable String namespace;

  @Option(
      names = "--generator",
      paramLabel = "NAME",
      completionCandidates = GeneratorNames.class,
      description = "Only adapters with this generator.")
  private @Nullable String generator;

  @Option(names = "--rank", paramLabel = "R", description = "Only adapters of this rank.")
  private @Nullable Integer rank;

  @Option(
      names = "--bits",
      paramLabel = "B",
      description = "Only adapters with codes of this many bits.")
  private @Nullable Integer bits;

  @Option(
      names = "--tag",
      paramLabel = "TAG",
      description = "Only adapters with this tag. May be repeated.")
  private List<String> tags = new ArrayList<>();

  @Option(names = "--verified", description = "Only verified adapters.")
  private boolean verified;

  @Option(
      names = "--sort",
      paramLabel = "ORDER",
      description = "Order of the results: relevance, updated, downloads or name.")
  private SearchQuery.@Nullable Sort sort;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Maximum number of results, 1 to 100 (default: ${DEFAULT-VALUE}).")
  private int limit = 20;

  @Option(
      names = "--cursor",
      paramLabel = "CURSOR",
      description = "Continue where an earlier search ended.")
  private @Nullable String cursor;

  @Mixin private RegistryOption registry = new RegistryOption();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    SearchQuery.Builder query =
        SearchQuery.builder()
            .text(words.isEmpty() ? null : String.join(" ", words))
            .base(base)
            .namespace(namespace)
            .generator(generator)
            .rank(rank)
            .bits(bits)
            .verified(verified ? true : null)
            .sort(sort)
            .limit(limit);
    tags.forEach(query::tag);
    Page<AdapterSummary> page;
    try (NolaClient client = registry.client(output)) {
      page = client.adapters().search(query.build(), cursor);
    }
    output.print(page, out -> print(page, out));
    if (page.items().isEmpty()) {
      output.message("no adapter matches");
    }
    for (AdapterSummary adapter : page.items()) {
      if (adapter.disputed()) {
        output.warn(
            "%s/%s@%s is disputed: a worker attests other bits, unconfirmed"
                .formatted(adapter.namespace(), adapter.name(), adapter.latest()));
      }
    }
    if (page.next() != null && !output.isJson()) {
      output.message("more: --cursor %s", page.next());
    }
    return 0;
  }

  private static void print(Page<AdapterSummary> page, PrintWriter out) {
    if (page.items().isEmpty()) {
      return;
    }
    Table table = new Table("ADAPTER", "VERSION", "BASE", "RANK", "BITS", "SIZE", "DESCRIPTION");
    for (AdapterSummary adapter : page.items()) {
      table.row(
          adapter.namespace() + "/" + adapter.name(),
          adapter.latest(),
          adapter.base(),
          adapter.rank() == 0 ? "direct" : Integer.toString(adapter.rank()),
          Integer.toString(adapter.bits()),
          Output.bytes(adapter.size()),
          adapter.description().lines().findFirst().orElse(""));
    }
    table.print(out);
  }
}
