package dev.nola.cli;

import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** Reconstructs an adapter and compares its bits with those its author had. */
@Command(
    name = "verify",
    description = "Reconstruct an adapter and prove that its bits are its author's.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola verify adapter.nola --json"})
final class VerifyCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "The adapter file.")
  private Path file = Path.of("");

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    ReconstructionDigest digest = Reconstructor.standard().verify(AdapterFile.read(file));
    if (json) {
      out.println(
          JsonMapper.shared()
              .createObjectNode()
              .put("ok", true)
              .put("reconstructionDigest", digest.root().toString()));
    } else {
      out.println("verified: " + digest.root());
    }
    return 0;
  }
}
