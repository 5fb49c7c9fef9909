package dev.nola.client.merge;

import dev.nola.client.peft.ModulePaths;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tensor that an adapter means. One model is saved under several sets of names: as a bare
 * transformer ({@code layers.0…}) or inside the model that has a head ({@code model.layers.0…}), a
 * language model alone or inside a multimodal model ({@code model.language_model.layers.0…}), as a
 * model that was compiled or wrapped ({@code _orig_mod.model.layers.0…}), and an output embedding
 * that is tied to the input embedding is not saved at all. Thread-safe.
 */
public final class TensorNames {
  /** Prefixes under which one language model is saved, alone or inside a multimodal model. */
  private static final List<String> LANGUAGE_MODELS =
      List.of("model.", "model.language_model.", "language_model.model.", "language_model.");

  private static final List<String> INPUT_EMBEDDINGS =
      List.of(
          "model.embed_tokens.weight",
          "model.language_model.embed_tokens.weight",
          "language_model.model.embed_tokens.weight",
          "language_model.embed_tokens.weight",
          "embed_tokens.weight",
          "transformer.wte.weight",
          "wte.weight",
          "transformer.word_embeddings.weight",
          "word_embeddings.weight",
          "gpt_neox.embed_in.weight",
          "embed_in.weight",
          "model.shared.weight",
          "shared.weight",
          "model.decoder.embed_tokens.weight",
          "decoder.embed_tokens.weight",
          "backbone.embeddings.weight",
          "embeddings.weight");

  private final Model base;
  private final TiedEmbeddings tie;

  /** Null until a name is first not found as it is. */
  private @Nullable Index index;

  /** A tensor whose name begins with a known prefix. */
  private record Prefixed(String prefix, Tensor tensor) {}

  /**
   * The tensors by parts of their names.
   *
   * @param byName tensors by their names without wrappers
   * @param byRest tensors by what follows a known prefix of their names
   */
  private record Index(Map<String, List<Tensor>> byName, Map<String, List<Prefixed>> byRest) {
    static Index of(Model base) {
      Map<String, List<Tensor>> names = new HashMap<>();
      Map<String, List<Prefixed>> rests = new HashMap<>();
      for (Tensor tensor : base.tensors().values()) {
        String name = ModulePaths.unwrapped(tensor.name());
        names.computeIfAbsent(name, key -> new ArrayList<>(1)).add(tensor);
        for (String prefix : prefixes(name)) {
          rests
              .computeIfAbsent(name.substring(prefix.length()), key -> new ArrayList<>(1))
              .add(new Prefixed(prefix, tensor));
        }
      }
      return new Index(names, rests);
    }

    List<Tensor> named(String name) {
      return byName.getOrDefault(name, List.of());
    }

    List<Prefixed> prefixed(String rest) {
      return byRest.getOrDefault(rest, List.of());
    }
  }

  TensorNames(Model base, TiedEmbeddings tie) {
    this.base = base;
    this.tie = tie;
  }

  /**
   * Prepares for finding tensors of a model.
   *
   * @param base the model; its config tells whether an output embedding that is not there is the
   *     input embedding
   * @return the names
   * @throws InvalidModelException if the model's config is not a JSON object
   */
  public static TensorNames of(Model base) throws InvalidModelException {
    return new TensorNames(base, TiedEmbeddings.of(base));
  }

  /**
   * A tensor that was found.
   *
   * @param tensor of the base model
   * @param untied whether the adapter means an output embedding that the base has only as this, its
   *     input embedding
   */
  public record Found(Tensor tensor, boolean untied) {}

  /** Returns what the config states about tied embeddings. */
  TiedEmbeddings tie() {
    return tie;
  }

  /**
   * Returns whether a merge that changes the input embedding alone changes the output embedding
   * too: they are tied, or nothing is stated and no output embedding is stored.
   *
   * @return true if both are one
   */
  public boolean sharesEmbedding() {
    return tie.hasOutput()
        && (tie.isCertain()
            || tie.isPossible()
                && base.tensors().keySet().stream()
                    .noneMatch(name -> ModulePaths.isOutputEmbedding(ModulePaths.moduleOf(name))));
  }

  /**
   * Finds the base's tensor of a name, with or without a prefix.
   *
   * @param name the name
   * @return the tensor; null if absent
   * @throws AmbiguousNameException if several could be meant
   */
  public @Nullable Found find(String name) throws AmbiguousNameException {
    Tensor exact = base.tensors().get(name);
    if (exact != null) {
      return new Found(exact, false);
    }
    SequencedMap<String, Tensor> candidates = candidates(ModulePaths.unwrapped(name));
    if (candidates.size() > 1) {
      List<String> names = List.copyOf(candidates.sequencedKeySet());
      throw new AmbiguousNameException(
          "tensor %s is ambiguous: the base model has %s and %s"
              .formatted(name, names.getFirst(), names.get(1)));
    }
    if (!candidates.isEmpty()) {
      return new Found(candidates.firstEntry().getValue(), false);
    }
    if (tie.isPossible() && isOutput(name)) {
      Tensor input = inputEmbedding();
      return input == null ? null : new Found(input, true);
    }
    return null;
  }

  /**
   * Describes the only tensor that could be meant by a name that the model does not have.
   *
   * @param name the name
   * @param shape its shape
   * @return a clause to append to a message; empty if no tensor, or more than one, could be meant
   */
  public String suggestion(String name, List<Long> shape) {
    int longest = 1; // the last part alone, such as "weight", tells nothing
    List<String> similar = new ArrayList<>();
    for (Tensor tensor : base.tensors().values()) {
      int common = tensor.shape().equals(shape) ? commonParts(tensor.name(), name) : 0;
      if (common > longest) {
        longest = common;
        similar.clear();
      }
      if (common == longest && common > 1) {
        similar.add(tensor.name());
      }
    }
    return similar.size() == 1
        ? "; the only tensor of this shape whose name ends alike is " + similar.getFirst()
        : "";
  }

  /** Counts the parts at the end of two names that are equal. */
  private static int commonParts(String one, String other) {
    int i = one.length();
    int j = other.length();
    int common = 0;
    while (i > 0 && j > 0 && one.charAt(i - 1) == other.charAt(j - 1)) {
      i--;
      j--;
      common += one.charAt(i) == '.' ? 1 : 0;
    }
    boolean isWhole =
        (i == 0 || one.charAt(i - 1) == '.') && (j == 0 || other.charAt(j - 1) == '.');
    boolean isCut = i < one.length() && one.charAt(i) == '.';
    return isWhole && !isCut ? common + 1 : common;
  }

  private static boolean isOutput(String name) {
    String module = ModulePaths.unwrapped(ModulePaths.moduleOf(name));
    return module.equals("lm_head") || module.equals("language_model.lm_head");
  }

  private @Nullable Tensor inputEmbedding() {
    for (String name : INPUT_EMBEDDINGS) {
      List<Tensor> found = index().named(name);
      if (!found.isEmpty()) {
        return found.getFirst();
      }
    }
    return null;
  }

  /** Returns the tensors whose names differ by a prefix or a wrapper only, by name. */
  private SequencedMap<String, Tensor> candidates(String name) {
    Index tensors = index();
    SequencedMap<String, Tensor> found = new LinkedHashMap<>();
    tensors.named(name).forEach(tensor -> found.put(tensor.name(), tensor));
    tensors.prefixed(name).forEach(other -> found.put(other.tensor.name(), other.tensor));
    for (String prefix : prefixes(name)) {
      String rest = name.substring(prefix.length());
      tensors.named(rest).forEach(tensor -> found.put(tensor.name(), tensor));
      if (LANGUAGE_MODELS.contains(prefix)) {
        tensors.prefixed(rest).stream()
            .filter(other -> LANGUAGE_MODELS.contains(other.prefix))
            .forEach(other -> found.put(other.tensor.name(), other.tensor));
      }
    }
    return found;
  }

  private synchronized Index index() {
    Index current = index;
    if (current == null) {
      current = Index.of(base);
      index = current;
    }
    return current;
  }

  /** Returns the known prefixes with which a name begins. */
  private static Set<String> prefixes(String name) {
    Set<String> prefixes = new LinkedHashSet<>();
    String first = name.substring(0, name.indexOf('.') + 1);
    if (ModulePaths.prefixes().contains(first)) {
      prefixes.add(first);
    }
    LANGUAGE_MODELS.stream().filter(name::startsWith).forEach(prefixes::add);
    return prefixes;
  }

  /** Thrown if several tensors could be meant. */
  public static final class AmbiguousNameException extends Exception {
    AmbiguousNameException(String message) {
      super(message);
    }
  }
}
