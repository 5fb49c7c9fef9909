package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.cache.LocalCache;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.RegistryOption;
import dev.nola.command.Table;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Looks after the files that were pulled. */
@Command(
    name = "cache",
    description = "List, check and remove pulled files.",
    mixinStandardHelpOptions = true,
    subcommands = {
      CacheCommand.ListAll.class,
      CacheCommand.Verify.class,
      CacheCommand.Remove.class,
      CacheCommand.Clear.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "The cache is $NOLA_CACHE, or ~/.cache/nola."})
final class CacheCommand {
  @Command(
      name = "list",
      aliases = "ls",
      description = "List the files, most recently used first.",
      mixinStandardHelpOptions = true)
  static final class ListAll implements Callable<Integer> {
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException {
      LocalCache cache = RegistryOption.cache(output);
      List<LocalCache.Entry> entries = cache.list();
      output.print(
          new Listing(
              cache.path().toString(), cache.size(), entries.stream().map(Line::of).toList()),
          out -> {
            Table table = new Table("DIGEST", "SIZE", "LAST USED", "PULLED AS");
            for (LocalCache.Entry entry : entries) {
              table.row(
                  entry.digest().toString(),
                  Output.bytes(entry.size()),
                  entry.lastUsed().toString(),
                  entry.names().stream()
                      .map(name -> name.reference().toString())
                      .collect(Collectors.joining(", ")));
            }
            table.print(out);
          });
      return 0;
    }

    private record Listing(String path, long size, List<Line> files) {}

    private record Line(String digest, long size, String lastUsed, List<String> names) {
      static Line of(LocalCache.Entry entry) {
        return new Line(
            entry.digest().toString(),
            entry.size(),
            entry.lastUsed().toString(),
            entry.names().stream().map(name -> name.reference().toString()).toList());
      }
    }
  }

  @Command(
      name = "verify",
      description = "Compare every file with its digest, and remove those that are damaged.",
      mixinStandardHelpOptions = true)
  static final class Verify implements Callable<Integer> {
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      LocalCache.Check check = RegistryOption.cache(output).verify();
      List<String> damaged = check.damaged().stream().map(Sha256::toString).toList();
      output.print(
          Map.of("whole", check.whole(), "damaged", damaged),
          out -> {
            damaged.forEach(digest -> out.println("removed damaged file: " + digest));
            out.printf("intact: %d, damaged and removed: %d%n", check.whole(), damaged.size());
          });
      return damaged.isEmpty() ? 0 : ExitCode.REFUSED;
    }
  }

  @Command(
      name = "remove",
      aliases = "rm",
      description = "Remove one file.",
      mixinStandardHelpOptions = true)
  static final class Remove implements Callable<Integer> {
    @Parameters(
        paramLabel = "DIGEST_OR_REF",
        description = "The digest of the file, or the reference that it was pulled by.")
    private String name = "";

    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException, InterruptedException {
      LocalCache cache = RegistryOption.cache(output);
      boolean removed =
          name.startsWith("sha256:")
              ? cache.remove(Sha256.parse(name))
              : cache.remove(Reference.parse(name));
      if (!removed) {
        throw new NoSuchFileException(
            name, null, "not in the cache; nola cache list shows what is");
      }
      output.print(Map.of("removed", name), out -> out.println("removed " + name));
      return 0;
    }
  }

  @Command(name = "clear", description = "Remove all files.", mixinStandardHelpOptions = true)
  static final class Clear implements Callable<Integer> {
    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException {
      long bytes = RegistryOption.cache(output).clear();
      output.print(Map.of("freed", bytes), out -> out.println("freed " + Output.bytes(bytes)));
      return 0;
    }
  }
}
