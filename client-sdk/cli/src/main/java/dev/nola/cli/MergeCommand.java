package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.merge.ModelMerge;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.files.Destination;
import dev.nola.format.DType;
import dev.nola.gpu.CudaDevice;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Adds adapters to a model's weights. */
@Command(
    name = "merge",
    description = {
      "Add adapters to a model's weights and write the merged model.",
      "Config and tokenizer files are copied; pickles and hidden files are not. A merge cannot be"
          + " undone, because it rounds every weight: keep the base model."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola merge --base llama/ --adapter mood.nola -o llama-mood/",
      "  nola merge --base llama/ --adapter mood.nola -o llama-mood/ --device cuda",
      "  nola merge --base llama/ --adapter acme/mood@prod=0.7 --adapter acme/tone=0.3 -o mixed/"
    })
final class MergeCommand implements Callable<Integer> {
  /** The processor that merges. */
  enum Device {
    CPU,
    CUDA
  }

  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base model: a safetensors file, or a folder in the Hugging Face layout.")
  private Path base = Path.of("");

  @Option(
      names = "--adapter",
      required = true,
      paramLabel = "FILE_OR_REF[=WEIGHT]",
      description =
          "An adapter, or a LoRA of PEFT, and its weight (default: 1). May be repeated; the order"
              + " matters.")
  private List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "PATH",
      description = "The file or folder to write; must not exist.")
  private Path destination = Path.of("");

  @ArgGroup private BaseOptions baseOptions = new BaseOptions();

  @Option(
      names = "--allow-reshape",
      description =
          "Let a tensor of an adapter replace one of another shape in the base model, or one whose"
              + " type is not F32, F16 or BF16. Between these types tensors are always converted.")
  private boolean allowReshape;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description =
          "Convert all floating tensors of the merged model to f32, f16 or bf16, and state it in"
              + " its config (default: each keeps its type).")
  private @Nullable DType dtype;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "Merge on cpu, or on cuda, an NVIDIA GPU (default: cpu). Does not affect the result.")
  private Device device = Device.CPU;

  @Option(names = "--dry-run", description = "Print what would be done without writing anything.")
  private boolean dryRun;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Number of threads (default: all CPUs). Does not affect the result.")
  private @Nullable Integer threads;

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, HintedException, ImportRefusedException {
    if (!dryRun) {
      Destination.requireNew(destination);
    }
    List<AdapterSource.Converted> converted = new ArrayList<>();
    ModelMerge.Builder merge =
        ModelMerge.into(base).baseCheck(baseOptions.check()).reshape(allowReshape);
    for (String argument : adapters) {
      Weighted adapter = Weighted.parse(argument);
      AdapterSource.Opened opened = source.open(adapter.name, base, output);
      converted.addAll(opened.conversions());
      merge.adapter(opened.file(), adapter.weight);
    }
    if (dtype != null) {
      merge.dtype(dtype);
    }
    if (threads != null) {
      merge.threads(threads);
    }
    ModelMerge.Report report;
    try (CudaDevice gpu = gpu();
        ProgressBar bar = output.bar("merge")) {
      if (gpu != null) {
        merge.gpu(gpu);
      }
      ModelMerge ready = merge.progress(bar).build();
      report = dryRun ? ready.dryRun() : ready.write(destination);
    } catch (MergeRefusedException e) {
      throw new HintedException(
          e,
          switch (e.reason()) {
            case BASE -> BaseOptions.REMEDY;
            case RESHAPE -> "\npass --allow-reshape to replace them anyway";
            case TARGETS, HEAD, OVERFLOW, DESTINATION -> "";
          });
    }
    report.warnings().forEach(output::warn);
    if (!report.left().isEmpty()) {
      output.message("not copied: %s", String.join(", ", report.left()));
    }
    output.print(
        new Result(destination.toString(), dryRun, converted, report), out -> print(report, out));
    return 0;
  }

  private @Nullable CudaDevice gpu() {
    return switch (device) {
      case CPU -> null;
      case CUDA -> CudaDevice.open();
    };
  }

  private record Result(
      String output,
      boolean dryRun,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted,
      @JsonUnwrapped ModelMerge.Report report) {}

  private void print(ModelMerge.Report report, PrintWriter out) {
    out.printf(
        "%s %s: %s adapted, %d replaced or added, %d copied%s, %s%n",
        dryRun ? "would write" : "wrote",
        destination,
        Output.count(report.merged(), "tensor"),
        report.replaced(),
        report.copied(),
        report.typeChanged() == 0
            ? ""
            : ", %d converted to %s".formatted(report.typeChanged(), dtype),
        Output.bytes(report.bytes()));
  }

  /** An adapter's name and weight. */
  record Weighted(String name, double weight) {
    /**
     * Reads {@code NAME} or {@code NAME=WEIGHT}. Names of files and ranges of versions may have a
     * {@code =} of their own.
     */
    static Weighted parse(String argument) {
      int equals = argument.lastIndexOf('=');
      boolean ofRange = equals > 0 && "<>@ |".indexOf(argument.charAt(equals - 1)) >= 0;
      if (equals < 0 || ofRange || Files.exists(Path.of(argument))) {
        return new Weighted(argument, 1);
      }
      String weight = argument.substring(equals + 1);
      try {
        double value = Double.parseDouble(weight);
        if (equals > 0 && Double.isFinite(value)) {
          return new Weighted(argument.substring(0, equals), value);
        }
      } catch (NumberFormatException e) {
        throw illegal(argument, e);
      }
      throw illegal(argument, null);
    }

    private static IllegalArgumentException illegal(String argument, @Nullable Exception cause) {
      return new IllegalArgumentException(
          "invalid --adapter: %s; must be a file or a reference, optionally followed by = and a finite number"
              .formatted(argument),
          cause);
    }
  }
}
