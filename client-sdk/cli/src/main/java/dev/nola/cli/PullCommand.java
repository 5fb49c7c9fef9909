package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.files.Destination;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Downloads an adapter. */
@Command(
    name = "pull",
    description = {
      "Download an adapter into the cache and check its digest.",
      "Prints the file's path. An interrupted download resumes where it stopped."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola pull acme/mood",
      "  nola pull acme/mood@^1.2 -o mood.nola",
      "  nola pull acme/mood --require-verified 2"
    })
final class PullCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "REF",
      description =
          "NAMESPACE/NAME, optionally followed by @ and a version, alias, range or digest (default: the"
              + " latest version).")
  private String reference = "";

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      paramLabel = "FILE",
      description = "Write a copy here; must not exist.")
  private @Nullable Path destination;

  @Mixin private Trust trust = new Trust();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    int required = trust.required(output);
    if (destination != null) {
      Destination.requireNew(destination);
    }
    Pulled pulled = source.pull(Reference.parse(reference), output);
    if (required > 0) {
      try (NolaClient client = source.client(source.registry(output), output)) {
        AdapterFile file = AdapterSource.naming(pulled.pinned().toString(), pulled::open);
        Trust.require(required, trust.keys(), client, pulled, file);
      }
    }
    Path path = pulled.path();
    if (destination != null) {
      pulled.copyTo(destination);
      path = destination;
    }
    Result result =
        new Result(
            pulled.pinned().adapter().toString(),
            pulled.version(),
            pulled.digest().toString(),
            path.toString(),
            pulled.fromCache(),
            pulled.yanked(),
            pulled.disputed());
    output.message(
        "%s %s%s", pulled.pinned(), pulled.digest(), pulled.fromCache() ? ", from the cache" : "");
    output.print(result, out -> out.println(result.path));
    return 0;
  }

  private record Result(
      String adapter,
      String version,
      String digest,
      String path,
      boolean fromCache,
      @Nullable String yanked,
      boolean disputed) {}
}
