package dev.nola.trainer;

import dev.nola.format.AdapterFile;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Greedy;
import dev.nola.trainer.model.Llama;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Lets a language model, with an adapter or without, go on with a text. */
@Command(
    name = "generate",
    description = {
      "Go on with a text by the likeliest token each time.",
      "To see what an adapter does; for serving, merge or export it."
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

  @Option(names = "--adapter", paramLabel = "FILE", description = "The adapter; none by default.")
  private @Nullable Path adapter;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "What to go on with; may be empty.")
  private String prompt = "";

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "How many tokens at most; ${DEFAULT-VALUE} when not given.")
  private int maxTokens = 64;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (maxTokens < 1) {
      throw new IllegalArgumentException("--max-tokens " + maxTokens + ", must be at least 1");
    }
    try (BaseModel model = BaseModel.load(base);
        TextTokenizer tokenizer = TextTokenizer.load(base)) {
      if (!(model.network() instanceof Llama)) {
        throw new IllegalArgumentException(base + " is no language model");
      }
      List<Adaptation> adaptations =
          adapter == null ? List.of() : TrainedAdapter.ofFile(model, AdapterFile.read(adapter));
      AdaptedWeights weights = new AdaptedWeights(model, adaptations, Kernels.chosen());
      int[] start =
          IntStream.concat(IntStream.of(tokenizer.begin()), IntStream.of(tokenizer.tokens(prompt)))
              .toArray();
      if (start.length == 0) {
        throw new IllegalArgumentException(
            "the prompt is empty, and the model has no token to begin with");
      }
      int[] tokens =
          Greedy.generate(model.network(), weights, start, maxTokens, tokenizer.end()[0]);
      print(tokenizer.text(tokens), tokens);
    }
    return 0;
  }

  private void print(String text, int[] tokens) {
    if (json) {
      ObjectNode node = JsonMapper.shared().createObjectNode().put("text", text);
      IntStream.of(tokens).forEach(node.putArray("tokens")::add);
      spec.commandLine()
          .getOut()
          .println(JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(node));
    } else {
      spec.commandLine().getOut().println(text);
    }
  }
}
