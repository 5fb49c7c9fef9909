package dev.nola.demo;

import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the whole system at work. */
@Command(
    name = "demo",
    description = {
      "Train, publish, verify, merge and export an adapter, with a registry and two workers.",
      "MiniLM learns which of 26 kinds of thing a WordNet definition describes. Model and"
          + " data come from Maven Central; everything else stays on this machine, and the servers stop when"
          + " the command ends. A second run publishes the next version."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  nola demo", "  nola demo --quick", "  nola demo --keep"})
final class DemoCommand implements Callable<Integer> {
  /** Set by the launcher: the checkout. */
  private static final String HOME = "nola.home";

  @Option(
      names = "--quick",
      description = "Train for a few steps only, to see that everything works.")
  private boolean quick;

  @Option(names = "--keep", description = "Keep the registry and the workers running afterwards.")
  private boolean keep;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Folder for everything the demo writes. Default: target/demo of the checkout.")
  private @Nullable Path data;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws Exception {
    String home = System.getProperty(HOME);
    if (home == null) {
      throw new IllegalArgumentException(
          "the system property %s is not set; start the demo with the launcher: ./nola demo"
              .formatted(HOME));
    }
    Path checkout = Path.of(home);
    Path folder = data == null ? checkout.resolve("target").resolve("demo") : data;
    new Demo(checkout, folder.toAbsolutePath(), quick ? Plan.QUICK : Plan.FULL, keep, output).run();
    return ExitCode.OK;
  }
}
