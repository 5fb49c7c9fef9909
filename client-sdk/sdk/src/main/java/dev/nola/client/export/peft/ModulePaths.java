package dev.nola.client.export.peft;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * From the names of tensors to those of modules in the loaded model. A checkpoint may hold the bare
 * transformer ({@code h.0.attn.c_attn}), while the model that is loaded from it has a head and
 * keeps the transformer under a name ({@code transformer.h.0.attn.c_attn}).
 *
 * @param prefix what is put before every name; null to find out
 * @param isBare whether the loaded model is the bare transformer; counts only without prefix
 */
record ModulePaths(@Nullable String prefix, boolean isBare) {
  /** Where models with a head keep their transformer, by the names that begin the bare ones. */
  private static final Map<String, String> HOMES =
      Map.of(
          "layers", "model.",
          "embed_tokens", "model.",
          "norm", "model.",
          "h", "transformer.",
          "wte", "transformer.",
          "wpe", "transformer.",
          "ln_f", "transformer.");

  /** Names of modules that look up word embeddings, in the models of transformers. */
  private static final Set<String> WORD_EMBEDDINGS =
      Set.of(
          "embed_tokens",
          "wte",
          "word_embeddings",
          "tok_embeddings",
          "embed_in",
          "embed",
          "shared");

  /** Names of other modules that are embeddings. */
  private static final Set<String> OTHER_EMBEDDINGS =
      Set.of("wpe", "position_embeddings", "token_type_embeddings", "embed_positions");

  /** The path of the module with this name in a checkpoint. */
  String of(String module) {
    if (prefix != null) {
      return prefix + module;
    }
    if (!isBare) {
      String home = HOMES.get(firstPart(module));
      return home == null ? module : home + module;
    }
    String inHome = module.substring(module.indexOf('.') + 1);
    String home = HOMES.get(firstPart(inHome));
    return home != null && module.equals(home + inHome) ? inHome : module;
  }

  /** The module that holds a tensor; empty if none does. */
  static String moduleOf(String tensor) {
    return tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')));
  }

  /** Whether a module looks up the embeddings of words, by its name. */
  static boolean isWordEmbedding(String module) {
    return WORD_EMBEDDINGS.contains(lastPart(module));
  }

  /** Whether a module is another embedding, by its name. */
  static boolean isOtherEmbedding(String module) {
    return OTHER_EMBEDDINGS.contains(lastPart(module));
  }

  /** The last part of a name. */
  static String lastPart(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static String firstPart(String name) {
    int end = name.indexOf('.');
    return end < 0 ? name : name.substring(0, end);
  }
}
