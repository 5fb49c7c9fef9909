package dev.nola.trainer;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Output;
import dev.nola.trainer.data.InputTexts;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.generate.Decoding;
import dev.nola.trainer.generate.TextGeneration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Continues a text with a language model, with or without an adapter. */
@Command(
    name = "generate",
    description = {
      "Continue texts, by the likeliest token at each step or by beam search.",
      "Shows what an adapter does; for serving, merge or export it."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola generate --base llama/ --adapter e2e.nola --prompt 'name : The Mill | food : Thai ||'",
      "  nola generate --base llama/ --adapter e2e.nola --prompts test.jsonl --beams 10 --json"
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
      paramLabel = "TEXT",
      description = "The text to continue; may be empty.")
  private @Nullable String prompt;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description =
          "Instead of --prompt, a file with a text per line, or with JSON objects (.jsonl) or"
              + " columns (.csv, .tsv); may end in .gz.")
  private @Nullable Path prompts;

  @Option(
      names = "--field",
      paramLabel = "NAME",
      description = "Field or column of the text in --prompts. Default: ${DEFAULT-VALUE}.")
  private String field = "prompt";

  @Mixin private DecodingOptions options = new DecodingOptions();
  @ArgGroup private BaseOptions baseOptions = new BaseOptions();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call()
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    if ((prompt == null) == (prompts == null)) {
      throw new ParameterException(
          output.command().commandLine(),
          prompt == null
              ? "missing --prompt, or --prompts"
              : "only one of --prompt and --prompts may be given");
    }
    Decoding decoding = options.decoding();
    List<String> texts =
        prompts == null ? List.of(String.valueOf(prompt)) : InputTexts.read(prompts, field);
    try (LoadedLanguageModel model =
        LoadedLanguageModel.open(base, adapter, source, baseOptions, output)) {
      TextTokenizer tokenizer = model.tokenizer();
      TextGeneration generation = new TextGeneration(model.network(), model.weights(), decoding);
      List<TextTokenizer.Prompt> tokenized = new ArrayList<>();
      for (String text : texts) {
        tokenized.add(tokenizer.prompt(text));
      }
      if (prompts == null) {
        one(generation, tokenized.getFirst(), tokenizer);
      } else {
        try (Continuations continuations = new Continuations(texts, tokenizer, output)) {
          generation.generate(tokenized, continuations);
          continuations.finish();
        }
      }
    }
    return ExitCode.OK;
  }

  /** Prints a continuation, without --json while it is made. */
  private void one(TextGeneration generation, TextTokenizer.Prompt text, TextTokenizer tokenizer)
      throws InterruptedException {
    StreamedText streamed = new StreamedText(tokenizer, output);
    int[] tokens = generation.generate(text, streamed::add);
    output.print(new Report(tokenizer.text(tokens), tokens), _ -> streamed.finish());
  }

  /** What {@code --json} prints of {@code --prompt}. */
  private record Report(String text, int[] tokens) {}
}
