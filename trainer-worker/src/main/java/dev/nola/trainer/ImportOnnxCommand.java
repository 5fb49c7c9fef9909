package dev.nola.trainer;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.trainer.onnx.OnnxImport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Turns an encoder's ONNX file into a model that can be trained. */
@Command(
    name = "import-onnx",
    description = {
      "Write the weights of a BERT encoder in an ONNX file as a Hugging Face folder.",
      "Weights must be f32. They get back the names and shapes that the exporter took from them;"
          + " sizes, heads and epsilon are read from the graph."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  nola import-onnx all-minilm-l6-v2.onnx --tokenizer tokenizer.json -o minilm/"
    })
final class ImportOnnxCommand implements Callable<Integer> {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

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
      description = "Attention heads, where the graph does not tell.")
  private @Nullable Integer heads;

  @Option(
      names = "--epsilon",
      paramLabel = "X",
      description = "Epsilon of the norms, where the graph does not tell.")
  private @Nullable Double epsilon;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "DIR",
      description = "The folder to write; must not exist.")
  private Path destination = Path.of("");

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    OnnxImport.Report report = new OnnxImport(onnx, tokenizer, heads, epsilon).write(destination);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JSON.writeValueAsString(new Result(destination.toString(), report)));
    } else {
      OnnxImport.Config config = report.config();
      out.printf(
          "wrote %s: %d tensors, %,d bytes; %d layers of %d, %d heads, epsilon %s%n",
          destination,
          report.tensors(),
          report.bytes(),
          config.layers(),
          config.hidden(),
          config.heads(),
          config.epsilon());
      if (!report.left().isEmpty()) {
        spec.commandLine()
            .getErr()
            .println("no weights, and not copied: " + String.join(", ", report.left()));
      }
    }
    return 0;
  }

  private record Result(String output, @JsonUnwrapped OnnxImport.Report report) {}
}
