package dev.nola.client.peft;

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
 * @param head class of the loaded model, if the adapter states one that is known; counts only
 *     without prefix
 */
public record ModulePaths(@Nullable String prefix, boolean isBare, @Nullable HeadClass head) {
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

  /** Names of modules whose weights GPT-2 stores as in×out. */
  private static final Set<String> CONV1D_NAMES = Set.of("c_attn", "q_attn", "c_proj", "c_fc");

  /** Names of other modules that are embeddings. */
  private static final Set<String> OTHER_EMBEDDINGS =
      Set.of("wpe", "position_embeddings", "token_type_embeddings", "embed_positions");

  /**
   * Returns the path of a module in the loaded model.
   *
   * @param module its name in a checkpoint
   * @return the path
   */
  public String of(String module) {
    if (prefix != null) {
      return prefix + module;
    }
    if (head != null) {
      return head.nameInModel(module).orElse(module);
    }
    if (!isBare) {
      String home = HOMES.get(firstPart(module));
      return home == null ? module : home + module;
    }
    String inHome = module.substring(module.indexOf('.') + 1);
    String home = HOMES.get(firstPart(inHome));
    return home != null && module.equals(home + inHome) ? inHome : module;
  }

  /**
   * Returns the module that holds a tensor.
   *
   * @param tensor the tensor's name
   * @return the module's name; empty if none does
   */
  public static String moduleOf(String tensor) {
    return tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')));
  }

  /**
   * Returns whether a module looks up the embeddings of words, by its name.
   *
   * @param module the module's name
   * @return true if it does
   */
  public static boolean isWordEmbedding(String module) {
    return WORD_EMBEDDINGS.contains(lastPart(module));
  }

  /**
   * Returns whether a module is another embedding, by its name.
   *
   * @param module the module's name
   * @return true if it is
   */
  public static boolean isOtherEmbedding(String module) {
    return OTHER_EMBEDDINGS.contains(lastPart(module));
  }

  /**
   * Returns whether GPT-2 and similar models store the weight of a module as in×out, by its name.
   *
   * @param module the module's name
   * @return true for names of such modules, which other models store as out×in
   */
  public static boolean mayBeConv1d(String module) {
    return CONV1D_NAMES.contains(lastPart(module));
  }

  /**
   * Returns the last part of a name.
   *
   * @param name parts with dots between them
   * @return what follows the last dot
   */
  public static String lastPart(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static String firstPart(String name) {
    int end = name.indexOf('.');
    return end < 0 ? name : name.substring(0, end);
  }
}
