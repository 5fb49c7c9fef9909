package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.trainer.onnx.EncoderConfig;
import dev.nola.trainer.onnx.OnnxImport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Turns an encoder's ONNX file into a model that can be trained. */
@Command(
    name = "import-onnx",
    description = {
      "Write the weights of a BERT encoder in an ONNX file as a Hugging Face folder.",
      "Weights must be f32. Names and shapes that the exporter dropped are restored;"
          + " sizes, heads and epsilon are read from the graph."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  nola import-onnx all-minilm-l6-v2.onnx --tokenizer tokenizer.json -o minilm/"
    })
final class ImportOnnxCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL.onnx", description = "The encoder.")
  private Path onnx = Path.of("");

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "Its tokenizer.json, to be copied; training needs it.")
  private @Nullable Path tokenizer;

  @Option(
      names = "--heads",
      paramLabel = "N",
      description = "Number of attention heads, if the graph does not specify it.")
  private @Nullable Integer heads;

  @Option(
      names = "--epsilon",
      paramLabel = "X",
      description = "Epsilon of the norms, if the graph does not specify it.")
  private @Nullable Double epsilon;

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "DIR",
      description = "The folder to write; must not exist.")
  private Path destination = Path.of("");

  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException {
    OnnxImport.Report report = new OnnxImport(onnx, tokenizer, heads, epsilon).write(destination);
    EncoderConfig config = report.config();
    output.print(
        new Result(destination.toString(), report),
        out ->
            out.printf(
                "wrote %s: %d tensors, %,d bytes; %d layers of %d, %d heads, epsilon %s%n",
                destination,
                report.tensors(),
                report.bytes(),
                config.layers(),
                config.hidden(),
                config.heads(),
                config.epsilon()));
    if (!report.left().isEmpty()) {
      output.message("not weights, and not copied: %s", String.join(", ", report.left()));
    }
    return ExitCode.OK;
  }

  private record Result(String output, @JsonUnwrapped OnnxImport.Report report) {}
}
