package dev.nola.trainer.demo;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows the whole system at work. */
@Command(
    name = "demo",
    description = {
      "Train, publish, verify, merge and export an adapter, with a registry and two workers.",
      "MiniLM learns to tell which of 26 kinds of thing a definition of WordNet's defines. Model and"
          + " data come from Maven Central; all else stays on this machine, and the servers end with"
          + " the command. A second run publishes the next version."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Examples:", "  nola demo", "  nola demo --quick", "  nola demo --keep"})
public final class DemoCommand implements Callable<Integer> {
  /** Set by the launcher: the checkout. */
  private static final String HOME = "nola.home";

  @Option(names = "--quick", description = "Train for a few steps only, to see that all works.")
  private boolean quick;

  @Option(names = "--keep", description = "Leave registry and workers running at the end.")
  private boolean keep;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where everything is kept. Default: target/demo of the checkout.")
  private @Nullable Path data;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    String home = System.getProperty(HOME);
    if (home == null) {
      throw new IllegalArgumentException(
          "the system property %s is not set; start the demo by the launcher, ./nola demo"
              .formatted(HOME));
    }
    Path checkout = Path.of(home);
    PrintWriter out = spec.commandLine().getOut();
    Path folder = data == null ? checkout.resolve("target").resolve("demo") : data;
    new Demo(checkout, folder.toAbsolutePath(), quick ? Plan.QUICK : Plan.FULL, keep, out).run();
    return 0;
  }
}
