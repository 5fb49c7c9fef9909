package dev.nola.registry;

import dev.nola.command.ExitCode;
import dev.nola.command.HelpCommand;
import dev.nola.command.Output;
import dev.nola.registry.blobs.BlobCopy;
import dev.nola.registry.blobs.BlobCopyConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ConfigurableApplicationContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Commands on the blobs of a registry, which need no running server. */
@Command(
    name = "blobs",
    description = "Copy the blobs of a registry to a bucket.",
    mixinStandardHelpOptions = true,
    subcommands = {BlobsCommand.Copy.class, HelpCommand.class},
    synopsisSubcommandLabel = "COMMAND")
final class BlobsCommand {
  @Command(
      name = "copy",
      description = "Copy the blobs of a data directory to the bucket of nola.blobs.s3.bucket.",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "A server may use the directory meanwhile. Blobs that the bucket has are skipped, so that",
        "another copy takes only what was added since.",
        "",
        "Example:",
        "  nola blobs copy --data ./nola-data --set nola.blobs.s3.bucket=acme-nola"
      })
  static final class Copy implements Callable<Integer> {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "Data directory of the registry. Default: ./nola-data.")
    private @Nullable Path data;

    @Option(
        names = "--set",
        paramLabel = "KEY=VALUE",
        description = "A setting of the server, such as nola.blobs.s3.region=eu-central-1.")
    private Map<String, String> settings = new LinkedHashMap<>();

    @Mixin private Output output = new Output();

    @Override
    public Integer call() throws IOException {
      List<String> arguments = new ArrayList<>();
      if (data != null) {
        arguments.add("--nola.data=" + data);
      }
      settings.forEach((key, value) -> arguments.add("--" + key + "=" + value));
      SpringApplication application = new SpringApplication(BlobCopyConfiguration.class);
      application.setWebApplicationType(WebApplicationType.NONE);
      application.setLogStartupInfo(false);
      try (ConfigurableApplicationContext context = start(application, arguments)) {
        BlobCopy.Result result = context.getBean(BlobCopy.class).run();
        boolean ok = result.damaged().isEmpty();
        output.print(
            new Copied(ok, result),
            out -> {
              out.printf("%d blobs copied (%d bytes)%n", result.copied(), result.bytes());
              out.printf("%d blobs already in the bucket%n", result.present());
              result.damaged().forEach(digest -> out.printf("damaged, not copied: %s%n", digest));
            });
        return ok ? ExitCode.OK : ExitCode.REFUSED;
      }
    }

    /** What {@code --json} prints. */
    private record Copied(boolean ok, BlobCopy.Result result) {}

    private static ConfigurableApplicationContext start(
        SpringApplication application, List<String> arguments) {
      try {
        return application.run(arguments.toArray(String[]::new));
      } catch (RuntimeException e) {
        throw new NotStartedException("blobs cannot be copied", e);
      }
    }
  }
}
