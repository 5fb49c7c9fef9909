package dev.nola.trainer;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.format.AdapterFile;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.generate.GreedyDecoding;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a text with a language model, with or without an adapter. */
@Command(
    name = "generate",
    description = {
      "Continue a text by greedy decoding.",
      "Shows what an adapter does; for serving, merge or export it."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  nola generate --base llama/ --adapter e2e.nola --prompt 'name : The Mill | food : Thai ||'"
    })
final class GenerateCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "DIR",
      description = "The base model's folder.")
  private Path base = Path.of("");

  @Option(
      names = "--adapter",
      paramLabel = "FILE_OR_REF",
      description = "The adapter, or a LoRA of PEFT. Default: none.")
  private @Nullable String adapter;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "The text to continue; may be empty.")
  private String prompt = "";

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Maximum number of tokens. Default: ${DEFAULT-VALUE}.")
  private int maxTokens = 64;

  @ArgGroup private BaseOptions baseOptions = new BaseOptions();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    if (maxTokens < 1) {
      throw new IllegalArgumentException(
          "invalid --max-tokens: " + maxTokens + "; must be at least 1");
    }
    AdapterFile file = adapter == null ? null : source.open(adapter, base, output).file();
    try (BaseModel model = BaseModel.load(base);
        TextTokenizer tokenizer =
            TextTokenizer.load(base, file == null ? Bos.TOKENIZER : Bos.of(file.adapter()))) {
      if (model.network().head() != null) {
        throw new UnsupportedModelException(base + ": not a language model, but a classifier");
      }
      List<Adaptation> adaptations = file == null ? List.of() : adaptations(model, file);
      AdaptedWeights weights = new AdaptedWeights(model, adaptations, Kernels.chosen());
      weights.prepare();
      TextTokenizer.Prompt start = tokenizer.prompt(prompt);
      int[] tokens =
          GreedyDecoding.generate(
              model.network(), weights, start.tokens(), maxTokens, start.ends());
      String text = tokenizer.text(tokens);
      output.print(new Report(text, tokens), out -> out.println(text));
    }
    return ExitCode.OK;
  }

  private List<Adaptation> adaptations(BaseModel model, AdapterFile file)
      throws IOException, InterruptedException, MergeRefusedException {
    LoadedAdapter.requireBase(base, model, file, baseOptions, output);
    return TrainedAdapter.ofFile(model, file);
  }

  /** What {@code --json} prints. */
  private record Report(String text, int[] tokens) {}
}
