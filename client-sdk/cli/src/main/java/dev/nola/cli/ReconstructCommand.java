package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.client.factors.FactorsFile;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.command.RefusedAdapterException;
import dev.nola.files.Destination;
import dev.nola.format.AdapterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes factors or deltas. */
@Command(
    name = "reconstruct",
    description = {
      "Reconstruct an adapter and write the result as a safetensors file.",
      "A layer of tensor T becomes T.nola_A and T.nola_B, or T.nola_delta with --delta or in the direct"
          + " form. All are f32. For a layer that adapts a slice, T ends in [dim:start:end]."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola reconstruct adapter.nola -o factors.safetensors"})
final class ReconstructCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE_OR_REF", description = "The adapter.")
  private String adapter = "";

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "FILE",
      description = "The file to write; must not exist.")
  private Path destination = Path.of("");

  @Option(names = "--delta", description = "Write ΔW instead of factors.")
  private boolean delta;

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException, ImportRefusedException {
    Destination.requireNew(destination);
    AdapterSource.Opened opened = source.open(adapter, output);
    FactorsFile.Form form = delta ? FactorsFile.Form.DELTAS : FactorsFile.Form.FACTORS;
    try (ProgressBar bar = output.bar("reconstruct")) {
      FactorsFile.write(opened.file(), form, destination, bar);
    } catch (AdapterException e) {
      throw new RefusedAdapterException(opened.name(), e);
    }
    Result result =
        new Result(
            destination.toString(),
            Files.size(destination),
            opened.file().adapter().layers().size(),
            opened.file().reconstructionDigest().toString(),
            opened.conversions());
    output.print(
        result,
        out ->
            out.printf(
                "wrote %s: %s, %s%n",
                destination, Output.count(result.layers, "layer"), Output.bytes(result.bytes)));
    return 0;
  }

  private record Result(
      String output,
      long bytes,
      int layers,
      String reconstructionDigest,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted) {}
}
