package dev.nola.client.peft;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * From the names of tensors to those of modules in the loaded model. A checkpoint may hold the bare
 * transformer ({@code h.0.attn.c_attn}), while the model that is loaded from it has a head and
 * keeps the transformer under a name ({@code transformer.h.0.attn.c_attn}), and the loaded model
 * may have other names than the checkpoint. Immutable.
 */
public final class ModulePaths {
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

  /** Names of modules that are outputs of a language model. */
  private static final Set<String> OUTPUT_EMBEDDINGS = Set.of("lm_head", "embed_out");

  /** The first parts of names of modules that only models with a head have. */
  private static final Set<String> HEADS =
      Set.of(
          "classification_head",
          "classifier",
          "cls",
          "embed_out",
          "generator_lm_head",
          "generator_predictions",
          "lm_head",
          "multi_modal_projector",
          "pre_classifier",
          "predictions",
          "qa_outputs",
          "score",
          "vocab_layer_norm",
          "vocab_projector",
          "vocab_transform");

  /** What PyTorch and PEFT put around modules for their own purposes. */
  private static final Pattern WRAPPERS =
      Pattern.compile(
          "^module\\.|(?<![^.])(base_model\\.model|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|modules_to_save(\\.default)?)\\.");

  private final UnaryOperator<String> path;

  private ModulePaths(UnaryOperator<String> path) {
    this.path = path;
  }

  /**
   * Puts one prefix before every name.
   *
   * @param prefix the prefix; may be empty
   * @return the paths
   */
  public static ModulePaths prefixed(String prefix) {
    return new ModulePaths(module -> prefix + module);
  }

  /**
   * Derives paths from a model's type, or, if that is not known, from the names in its checkpoint.
   *
   * @param modelType what the config states; null if it is not known
   * @param modules names of all modules in the checkpoint
   * @param task what the loaded model is for, of which FEATURE_EXTRACTION means the bare
   *     transformer; null if it is not known
   * @return the paths; those in the checkpoint if neither type nor names tell anything
   */
  public static ModulePaths of(
      @Nullable String modelType, Collection<String> modules, @Nullable TaskType task) {
    return of(
        Optional.ofNullable(modelType)
            .flatMap(ModelFamilies::ofType)
            .or(() -> ModelFamilies.ofNames(modules.stream().map(ModulePaths::unwrapped).toList()))
            .orElse(ModelFamily.UNKNOWN),
        modules,
        task);
  }

  /**
   * Derives paths from the class of the loaded model.
   *
   * @param head the class
   * @return the paths
   */
  public static ModulePaths of(HeadClass head) {
    ModelFamily family = ModelFamilies.ofType(head.modelType()).orElse(ModelFamily.UNKNOWN);
    return new ModulePaths(
        module -> {
          String name = family.renamed(unwrapped(module));
          return head.nameInModel(name).orElse(name);
        });
  }

  private static ModulePaths of(
      ModelFamily family, Collection<String> modules, @Nullable TaskType task) {
    boolean isBare = task == TaskType.FEATURE_EXTRACTION;
    String prefix = isBare ? "" : family.prefix(task);
    List<String> stored =
        Stream.of(family.prefix(task), family.prefix()).filter(name -> !name.isEmpty()).toList();
    boolean isBareCheckpoint =
        modules.stream()
            .map(module -> family.renamed(unwrapped(module)))
            .noneMatch(module -> stored.stream().anyMatch(module::startsWith));
    return new ModulePaths(
        module -> {
          String name = family.renamed(unwrapped(module));
          for (String known : stored) {
            if (name.startsWith(known)) {
              return prefix + name.substring(known.length());
            }
          }
          return isBareCheckpoint && !isOfHead(name) ? prefix + name : name;
        });
  }

  /**
   * Applies a user's rules first; a name that one of them changes is the path.
   *
   * @param renames the rules
   * @return these paths for all other names
   */
  public ModulePaths renamed(List<Rename> renames) {
    return new ModulePaths(
        module -> {
          String name = unwrapped(module);
          for (Rename rename : renames) {
            name = rename.first(name);
          }
          return name.equals(unwrapped(module)) ? of(module) : name;
        });
  }

  /**
   * Replaces names before anything else is done with them.
   *
   * @param names the names that the checkpoint has for an adapter's modules, by the adapter's
   * @return these paths of the checkpoint's names
   */
  public ModulePaths withNames(Map<String, String> names) {
    return new ModulePaths(module -> of(names.getOrDefault(module, module)));
  }

  /**
   * Returns the path of a module in the loaded model.
   *
   * @param module its name in a checkpoint
   * @return the path
   */
  public String of(String module) {
    return path.apply(module);
  }

  /**
   * Returns the names of modules whose paths in the loaded model depend on the model type.
   *
   * @param modules names in a checkpoint whose model type is not known
   * @return those that models of several types have under different prefixes
   */
  public static List<String> ambiguous(Collection<String> modules) {
    return ModelFamilies.ambiguous(modules.stream().map(ModulePaths::unwrapped).toList());
  }

  /**
   * Returns whether the names of a model type are known.
   *
   * @param modelType what the config states
   * @return true if {@link #of(String, Collection, TaskType)} knows it
   */
  public static boolean isKnown(String modelType) {
    return ModelFamilies.ofType(modelType).isPresent();
  }

  /**
   * Returns whether the loaded model has the weights of all experts in one parameter, while the
   * checkpoint has them apart.
   *
   * @param modelType what the config states
   * @return true for such types
   */
  public static boolean fusesExperts(String modelType) {
    return ModelFamilies.ofType(modelType).map(ModelFamily::fusesExperts).orElse(false);
  }

  /**
   * Returns what models with a head call their transformer.
   *
   * @return prefixes of names, each with a dot at the end
   */
  public static Set<String> prefixes() {
    return ModelFamilies.prefixes();
  }

  /**
   * Removes what PyTorch and PEFT put into names for their own purposes, such as {@code _orig_mod}.
   *
   * @param name the name of a module or tensor
   * @return the name without them
   */
  public static String unwrapped(String name) {
    return WRAPPERS.matcher(name).replaceAll("");
  }

  /**
   * Returns whether a module is the output of a language model, by its name.
   *
   * @param module the module's name
   * @return true if it is
   */
  public static boolean isOutputEmbedding(String module) {
    return OUTPUT_EMBEDDINGS.contains(lastPart(module))
        || module.endsWith("predictions.decoder")
        || module.endsWith("lm_head.decoder");
  }

  private static boolean isOfHead(String module) {
    return HEADS.contains(firstPart(module));
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

  /** Returns what precedes the first dot of a name. */
  static String firstPart(String name) {
    int end = name.indexOf('.');
    return end < 0 ? name : name.substring(0, end);
  }
}
