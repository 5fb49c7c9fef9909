package dev.nola.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.nola.client.export.ExportFormat;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.Orientation;
import dev.nola.client.export.gguf.GgufFormat;
import dev.nola.client.export.mlx.MlxFormat;
import dev.nola.client.export.onnx.OnnxAdapterFormat;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.peft.Rename;
import dev.nola.client.peft.TaskType;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.command.ProgressBar;
import dev.nola.command.RefusedAdapterException;
import dev.nola.files.Destination;
import dev.nola.format.AdapterException;
import dev.nola.format.DType;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Turns an adapter into a LoRA that other programs load. */
@Command(
    name = "export",
    description = {
      "Write an adapter as a LoRA: peft for PEFT, Transformers and vLLM, gguf for llama.cpp and"
          + " Ollama, mlx for mlx-lm, onnx_adapter for ONNX Runtime.",
      "In f32, the product of its factors is exactly the adapter's ΔW; f16 and bf16 are rounded,"
          + " and the error is reported."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola export mood.nola --format peft -o mood-lora/",
      "  nola export mood.nola --format gguf --base llama/ --dtype f16 -o mood.gguf",
      "  nola export acme/mood@prod --dtype bf16 --for vllm --base-model acme/llama -o mood-lora/"
    })
final class ExportCommand implements Callable<Integer> {
  /** What can be written. */
  enum Format {
    PEFT,
    GGUF,
    MLX,
    ONNX_ADAPTER;

    /** Returns the word for it. */
    @JsonValue
    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Lists the words for the formats. */
  static final class FormatWords implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Format.values()).map(Format::word).iterator();
    }
  }

  /** Programs that take less than PEFT does. */
  enum For {
    VLLM
  }

  @Parameters(paramLabel = "FILE_OR_REF", description = "The adapter.")
  private String adapter = "";

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      completionCandidates = FormatWords.class,
      description =
          "The output format: a folder for peft (the default) and mlx, a file for gguf and"
              + " onnx_adapter.")
  private Format format = Format.PEFT;

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      required = true,
      paramLabel = "PATH",
      description = "The folder or file to write; must not exist.")
  private Path destination = Path.of("");

  @Option(
      names = "--base-model",
      paramLabel = "NAME",
      description =
          "The name by which programs load the base model (default: the name in the adapter, or in the config of --base).")
  private @Nullable String baseName;

  @Option(
      names = "--base",
      paramLabel = "PATH",
      description =
          "The base model's folder: its type and tensors tell where the loaded model has the"
              + " modules and how weights are stored, and complete modules that dense tensors"
              + " replace only in part. Required for gguf.")
  private @Nullable Path base;

  @Option(names = "--dtype", paramLabel = "TYPE", description = "f32, f16 or bf16 (default: f32).")
  private DType dtype = DType.F32;

  @Option(
      names = "--orientation",
      paramLabel = "HOW",
      description =
          "How weights are stored: linear (out×in), conv1d (in×out, as in GPT-2) or auto (the"
              + " default).")
  private Orientation orientation = Orientation.AUTO;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description = "PEFT's task type: ${COMPLETION-CANDIDATES}.")
  private @Nullable TaskType task;

  @Option(
      names = "--module-prefix",
      paramLabel = "PREFIX",
      description =
          "Prefix of all module names in the loaded model, such as \"transformer.\" (default: by"
              + " the base model's type).")
  private @Nullable String modulePrefix;

  @Option(
      names = "--rename",
      paramLabel = "FROM=TO",
      converter = RenameConverter.class,
      description =
          "Replace parts of a module's name by those it has in the loaded model, such as"
              + " encoder=bert.encoder. May be repeated.")
  private List<Rename> renames = new ArrayList<>();

  @Option(
      names = "--for",
      paramLabel = "PROGRAM",
      description =
          "With --format peft: refuse adapters that this program cannot load; only vllm is"
              + " supported.")
  private @Nullable For program;

  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, HintedException, ImportRefusedException {
    ExportFormat target = target();
    Destination.requireNew(destination);
    AdapterSource.Opened opened = source.open(adapter, base, output);
    LoraExport.Report report;
    try (ProgressBar bar = output.bar("export")) {
      report = export(opened, target, bar).write(destination);
    } catch (AdapterException e) {
      throw new RefusedAdapterException(opened.name(), e);
    } catch (ExportRefusedException e) {
      throw new HintedException(
          e,
          switch (e.reason()) {
            case VLLM -> e.details().isEmpty() ? "; pass --base-model" : "";
            case MODULES -> "; pass --base, --module-prefix or --rename";
            case ORIENTATION -> "; pass --base or --orientation";
            case CONTENT -> contentHint(e);
            case ARCHITECTURE -> hint(e.getMessage());
            case BASE, TASK, HEAD, OVERFLOW, DESTINATION -> "";
          });
    }
    report.warnings().forEach(warning -> output.warn(warning + hint(warning)));
    output.print(
        new Result(destination.toString(), format, dtype, opened.conversions(), report),
        out -> print(report, out));
    return 0;
  }

  private static String contentHint(ExportRefusedException refused) {
    return refused.details().stream().anyMatch(detail -> detail.endsWith(LoraExport.NAME_BASE))
        ? "\npass --base to name the base model, or merge the adapter into it with nola merge"
        : "\nmerge the adapter into its base model with nola merge, which has no limits of this kind";
  }

  private static String hint(String message) {
    return message.endsWith(LoraExport.NO_BASE)
        ? "; pass --base"
        : message.equals(PeftFormat.NO_NAME) ? "; pass --base-model" : "";
  }

  private ExportFormat target() {
    if (program != null && format != Format.PEFT) {
      throw new ParameterException(
          output.command().commandLine(), "--for applies only to --format peft");
    }
    return switch (format) {
      case PEFT -> program == null ? PeftFormat.STANDARD : PeftFormat.FOR_VLLM;
      case GGUF -> new GgufFormat();
      case MLX -> new MlxFormat();
      case ONNX_ADAPTER -> new OnnxAdapterFormat();
    };
  }

  private LoraExport export(AdapterSource.Opened opened, ExportFormat target, ProgressBar bar) {
    LoraExport.Builder export =
        LoraExport.of(opened.file(), target).dtype(dtype).orientation(orientation).progress(bar);
    if (baseName != null) {
      export.baseName(baseName);
    }
    if (base != null) {
      export.base(base);
    }
    if (task != null) {
      export.task(task);
    }
    if (modulePrefix != null) {
      export.modulePrefix(modulePrefix);
    }
    renames.forEach(export::rename);
    return export.build();
  }

  /** Reads {@code FROM=TO}. */
  static final class RenameConverter implements ITypeConverter<Rename> {
    @Override
    public Rename convert(String text) {
      try {
        return Rename.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  private record Result(
      String output,
      Format format,
      DType dtype,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<AdapterSource.Converted> converted,
      @JsonUnwrapped LoraExport.Report report) {}

  private void print(LoraExport.Report report, PrintWriter out) {
    out.printf(
        "wrote %s: %s of rank %d, %d stored whole, %s%n",
        destination,
        Output.count(report.modules(), "module"),
        report.rank(),
        report.saved(),
        Output.bytes(report.bytes()));
    if (report.roundingError() > 0) {
      out.printf(
          Locale.ROOT,
          "rounding to %s changes ΔW by at most %.2g of its norm, in %s%n",
          dtype,
          report.roundingError(),
          report.leastExact());
    }
  }
}
