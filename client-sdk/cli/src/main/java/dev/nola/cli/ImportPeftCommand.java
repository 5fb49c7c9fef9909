package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.lora.ImportReport;
import dev.nola.client.lora.ImportReport.DeltaError;
import dev.nola.client.lora.ImportedLora;
import dev.nola.client.lora.LoraImport;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.files.Destination;
import dev.nola.generator.Generator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Turns a LoRA of PEFT into an adapter. */
@Command(
    name = "import-peft",
    description = {
      "Write a LoRA of PEFT as an adapter: its factors, quantized.",
      "At 16 bits that changes ΔW by about 4e-5 of its norm, less than rounding factors in f32 to f16 would; factors"
          + " saved in f16 would not change then, those in bf16 hardly. 8 and 4 bits are smaller. Both errors are"
          + " reported. Only LoRA can be imported; what changes the model in another way (DoRA, biases, other methods)"
          + " is refused by name."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola import-peft mood-lora/ --base llama/ -o mood.nola",
      "  nola import-peft mood-lora/adapter_model.safetensors --bits 4 -o mood.nola"
    })
final class ImportPeftCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "DIR|FILE",
      description = "The folder that PEFT saved, or its adapter_model.safetensors.")
  private Path lora = Path.of("");

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "FILE",
      description = "The file to write; must not exist.")
  private Path destination = Path.of("");

  @Option(
      names = "--bits",
      paramLabel = "B",
      description = "Bits per element of a factor, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int bits = LoraImport.DEFAULT_BITS;

  @Option(
      names = "--base",
      paramLabel = "PATH",
      description =
          "The base model: a safetensors file, or a folder in the Hugging Face layout. Names and shapes are checked"
              + " against it, and the adapter states its identity (default: names are taken from the modules).")
  private @Nullable Path base;

  @Option(
      names = "--labels",
      paramLabel = "NAMES",
      description =
          "Names of the classifier's classes, in their order, separated by commas, in double quotes if they have one:"
              + " 'up,\"left, then right\"'. May be repeated (default: those in the config of --base, if their number"
              + " is right).")
  private List<String> labels = List.of();

  @Mixin private Output output = new Output();

  /**
   * Splits a value of {@code --labels} at commas outside of quotes.
   *
   * @param line such as {@code up,"left, then right"}; a quote within quotes is doubled
   * @return the names, without their quotes
   * @throws IllegalArgumentException if the value is not one line of CSV
   */
  static List<String> names(String line) {
    try (CSVParser parser = CSVParser.parse(line, CSVFormat.RFC4180)) {
      List<CSVRecord> records = parser.getRecords();
      if (records.size() == 1) {
        return records.getFirst().toList();
      }
    } catch (IOException | UncheckedIOException _) {
      // such as a quote that is not closed; the rule says more than the parser's message
    }
    throw new IllegalArgumentException(
        "invalid --labels: %s; must be names in one line, separated by commas; quotes must enclose whole names, with a quote inside doubled"
            .formatted(line));
  }

  @Override
  public Integer call() throws IOException, ImportRefusedException, InterruptedException {
    if (bits < 1 || bits > Generator.MAX_BITS) {
      throw new IllegalArgumentException(
          "invalid --bits: %d; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
    }
    Destination.requireNew(destination);
    List<String> names =
        labels.stream().map(ImportPeftCommand::names).flatMap(List::stream).toList();
    LoraImport.Builder read = LoraImport.of(lora).bits(bits).labels(names);
    if (base != null) {
      read.base(base);
    }
    ImportedLora imported = read.read();
    imported.file().write(destination);
    imported.report().warnings().forEach(output::warn);
    imported.report().notes().forEach(note -> output.message("note: %s", note));
    Result result =
        new Result(
            destination.toString(),
            Files.size(destination),
            bits,
            imported.file().adapter().layers().size(),
            imported.file().reconstructionDigest().toString(),
            imported.report());
    output.print(result, out -> print(result, out));
    return 0;
  }

  private record Result(
      String output,
      long outputBytes,
      int bits,
      int layers,
      String reconstructionDigest,
      @JsonUnwrapped ImportReport report) {}

  private static void print(Result result, PrintWriter out) {
    ImportReport report = result.report;
    out.printf(
        "wrote %s: %s at %s, %d stored whole, %s (PEFT: %s)%n",
        result.output,
        Output.count(result.layers, "layer"),
        Output.count(result.bits, "bit"),
        report.saved(),
        Output.bytes(result.outputBytes),
        Output.bytes(report.bytes()));
    if (report.quantization().largest() > 0) {
      out.printf("quantization changes ΔW by %s%n", sentence(report.quantization()));
      out.printf(
          "rounding to f16 would change it by %s%n",
          report.f16().largest() == 0 ? "nothing: the factors fit f16" : sentence(report.f16()));
    }
  }

  private static String sentence(DeltaError error) {
    return String.format(
        Locale.ROOT,
        "%.1e of its norm, at most %.1e, in %s",
        error.overall(),
        error.largest(),
        error.module());
  }
}
