package dev.nola.client.merge;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tensor that an adapter means. One model is saved under several sets of names: as a bare
 * transformer ({@code layers.0…}) or inside the model that has a head ({@code model.layers.0…}),
 * and an output embedding that is tied to the input embedding is not saved at all.
 */
final class TensorNames {
  private static final List<String> PREFIXES = List.of("model.", "transformer.");
  private static final String OUTPUT_EMBEDDING = "lm_head.weight";
  private static final List<String> INPUT_EMBEDDINGS =
      List.of(
          "model.embed_tokens.weight",
          "embed_tokens.weight",
          "transformer.wte.weight",
          "wte.weight");

  private final Model base;
  private final boolean mayBeTied;

  /**
   * @param mayBeTied whether an output embedding that is not there may be the input embedding
   */
  TensorNames(Model base, boolean mayBeTied) {
    this.base = base;
    this.mayBeTied = mayBeTied;
  }

  /**
   * What was found.
   *
   * @param tensor of the base model
   * @param untied whether the adapter means an output embedding that the base has only as this, its
   *     input embedding
   */
  record Found(Tensor tensor, boolean untied) {}

  /**
   * The base's tensor of this name, with or without a prefix; null if there is none.
   *
   * @throws AmbiguousNameException if several could be meant
   */
  @Nullable Found find(String name) throws AmbiguousNameException {
    Tensor exact = base.tensors().get(name);
    if (exact != null) {
      return new Found(exact, false);
    }
    Set<String> candidates = new LinkedHashSet<>();
    for (String prefix : PREFIXES) {
      candidates.add(prefix + name);
      if (name.startsWith(prefix)) {
        candidates.add(name.substring(prefix.length()));
      }
    }
    Tensor found = only(name, candidates);
    if (found != null) {
      return new Found(found, false);
    }
    if (mayBeTied && name.equals(OUTPUT_EMBEDDING)) {
      Tensor input = only(name, INPUT_EMBEDDINGS);
      return input == null ? null : new Found(input, true);
    }
    return null;
  }

  private @Nullable Tensor only(String name, Iterable<String> candidates)
      throws AmbiguousNameException {
    Tensor found = null;
    for (String candidate : candidates) {
      Tensor tensor = base.tensors().get(candidate);
      if (tensor != null && found != null) {
        throw new AmbiguousNameException(
            "tensor %s is ambiguous: the base model has %s and %s"
                .formatted(name, found.name(), candidate));
      }
      found = tensor == null ? found : tensor;
    }
    return found;
  }

  /** Several tensors could be meant. */
  static final class AmbiguousNameException extends Exception {
    AmbiguousNameException(String message) {
      super(message);
    }
  }
}
