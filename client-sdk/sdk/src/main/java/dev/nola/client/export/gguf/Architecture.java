package dev.nola.client.export.gguf;

import dev.nola.client.gguf.LlamaLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model as llama.cpp names it.
 *
 * @param name llama.cpp's name of it
 * @param permutesRows whether the rows of queries and keys are permuted
 * @param modules llama.cpp's names of a block's modules, by those of Transformers
 */
record Architecture(String name, boolean permutesRows, Map<String, String> modules) {
  private static final Map<String, String> LLAMA = inverted(LlamaLayout.MODULES);

  private static final Map<String, String> GPT2 =
      Map.of(
          "attn.c_attn", "attn_qkv",
          "attn.c_proj", "attn_output",
          "mlp.c_fc", "ffn_up",
          "mlp.c_proj", "ffn_down");

  private static final Map<String, Architecture> BY_TYPE =
      Map.of(
          "llama", new Architecture("llama", true, LLAMA),
          "mistral", new Architecture("llama", true, LLAMA),
          "qwen2", new Architecture("qwen2", false, LLAMA),
          "qwen3", new Architecture("qwen3", false, LLAMA),
          "gemma2", new Architecture("gemma2", false, LLAMA),
          "gpt2", new Architecture("gpt2", false, GPT2));

  private static final Pattern BLOCK =
      Pattern.compile("(?:model\\.|transformer\\.)?(?:layers|h)\\.(\\d+)\\.(.+)");

  private static final String OUTPUT = "lm_head";

  /** Finds the architecture of a model type. */
  static Optional<Architecture> ofType(String modelType) {
    return Optional.ofNullable(BY_TYPE.get(modelType));
  }

  /** Lists the model types. */
  static List<String> types() {
    return BY_TYPE.keySet().stream().sorted().toList();
  }

  /**
   * Returns llama.cpp's name of a module's weight.
   *
   * @param path where the loaded model has the module
   * @return the tensor's name; empty if llama.cpp has no such linear module
   */
  Optional<String> tensor(String path) {
    if (path.equals(OUTPUT)) {
      return Optional.of("output.weight");
    }
    Matcher block = BLOCK.matcher(path);
    return block.matches()
        ? Optional.ofNullable(modules.get(block.group(2)))
            .map(module -> "blk.%s.%s.weight".formatted(block.group(1), module))
        : Optional.empty();
  }

  /**
   * Returns how many heads share out the rows of a module that are permuted.
   *
   * @param tensor llama.cpp's name of its weight
   * @param heads of queries
   * @param keyHeads of keys
   * @return the heads; 0 if its rows keep their order
   */
  int permutedHeads(String tensor, int heads, int keyHeads) {
    if (!permutesRows) {
      return 0;
    }
    return tensor.endsWith("attn_q.weight")
        ? heads
        : tensor.endsWith("attn_k.weight") ? keyHeads : 0;
  }

  private static Map<String, String> inverted(Map<String, String> names) {
    Map<String, String> inverted = new LinkedHashMap<>();
    names.forEach((key, value) -> inverted.put(value, key));
    return Map.copyOf(inverted);
  }
}
