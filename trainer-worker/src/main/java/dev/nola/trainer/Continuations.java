package dev.nola.trainer;

import dev.nola.command.Output;
import dev.nola.command.ProgressBar;
import dev.nola.trainer.data.TextTokenizer;
import java.util.List;
import java.util.Map;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What follows each of several texts: printed in their order, each as soon as those before it are
 * known; or as one document with {@code --json}, with progress until then.
 */
final class Continuations implements ObjIntConsumer<int[]>, AutoCloseable {
  /** What {@code --json} prints of a text. */
  private record Continuation(String prompt, String text, int[] tokens) {}

  private final List<String> prompts;
  private final TextTokenizer tokenizer;
  private final Output output;
  private final ProgressBar bar;
  private final @Nullable Continuation[] made;
  private int known;
  private int printed;

  Continuations(List<String> prompts, TextTokenizer tokenizer, Output output) {
    this.prompts = prompts;
    this.tokenizer = tokenizer;
    this.output = output;
    this.bar = output.stepBar("generate");
    this.made = new Continuation[prompts.size()];
  }

  @Override
  public void accept(int[] tokens, int index) {
    made[index] = new Continuation(prompts.get(index), tokenizer.text(tokens), tokens);
    known++;
    if (output.isJson()) {
      bar.update(known, made.length, "");
    } else {
      for (; printed < made.length && made[printed] != null; printed++) {
        String text = made[printed].text();
        output.print(text, out -> out.println(text));
      }
    }
  }

  /** Prints the document, if that is wanted. */
  void finish() {
    bar.close();
    if (output.isJson()) {
      output.print(Map.of("continuations", made), _ -> {});
    }
  }

  @Override
  public void close() {
    bar.close();
  }
}
