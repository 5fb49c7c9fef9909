package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.client.dequantize.ModelDequantizer;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.files.Destination;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Turns a quantized model into a plain one. */
@Command(
    name = "dequantize",
    description = {
      "Write a quantized model as a Hugging Face folder with weights in F32, F16 or BF16.",
      "Reads FP8, 8-bit and 4-bit bitsandbytes, and GGUF files of Llama-type models. Values are"
          + " those that the quantized model computes with; what quantization rounded stays"
          + " rounded."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola dequantize smollm2.Q4_K_M.gguf -o smollm2/",
      "  nola dequantize deepseek-fp8/ --dtype bf16 -o deepseek/"
    })
final class DequantizeCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "SRC",
      description = "A GGUF file, a safetensors file, or a folder in the Hugging Face layout.")
  private Path source = Path.of("");

  @Option(
      names = "--dtype",
      paramLabel = "f32|f16|bf16",
      description =
          "Type of all floating-point tensors (default: the one that the config names, for the"
              + " quantized tensors only; for GGUF that of its other matrices, or else f16).")
  private @Nullable DType dtype;

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
    Destination.requireNew(destination);
    ModelDequantizer.Report report;
    try (ProgressBar bar = output.bar("dequantize")) {
      report = new ModelDequantizer(source, dtype, bar).write(destination);
    }
    report.warnings().forEach(output::warn);
    if (!report.left().isEmpty()) {
      output.message("not copied: %s", String.join(", ", report.left()));
    }
    output.print(
        new Result(destination.toString(), report),
        out ->
            out.printf(
                "wrote %s: %s of %s as %s, %d copied, %s%n",
                destination,
                Output.count(report.dequantized(), "tensor"),
                report.quantization(),
                report.dtype(),
                report.copied(),
                Output.bytes(report.bytes())));
    return 0;
  }

  private record Result(String output, @JsonUnwrapped ModelDequantizer.Report report) {}
}
