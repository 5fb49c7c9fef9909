package dev.nola.client.merge;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Finds the tensor that an adapter means. One model is saved under several sets of names: as a bare
 * transformer ({@code layers.0…}) or inside the model that has a head ({@code model.layers.0…}), a
 * language model alone or inside one that also sees ({@code model.language_model.layers.0…}), and
 * an output embedding that is tied to the input embedding is not saved at all.
 */
public final class TensorNames {
  private static final List<String> PREFIXES = List.of("model.", "transformer.");

  /** Prefixes under which one language model is saved, alone or inside a model that also sees. */
  private static final List<String> LANGUAGE_MODELS =
      List.of("model.", "model.language_model.", "language_model.model.");

  private static final List<String> HEADS = List.of("lm_head.", "language_model.lm_head.");

  private static final String OUTPUT_EMBEDDING = "lm_head.weight";
  private static final List<String> INPUT_EMBEDDINGS =
      List.of(
          "model.embed_tokens.weight",
          "model.language_model.embed_tokens.weight",
          "language_model.model.embed_tokens.weight",
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
   * Prepares for finding tensors of a model.
   *
   * @param base the model; its config tells whether an output embedding that is not there is the
   *     input embedding
   * @return the names
   * @throws IOException if the model's config cannot be read or is not JSON
   */
  public static TensorNames of(Model base) throws IOException {
    return new TensorNames(base, mayBeTied(base));
  }

  private static boolean mayBeTied(Model model) throws IOException {
    Path config = model.path().resolve(MergedModelWriter.CONFIG);
    if (!model.isFolder() || !Files.isRegularFile(config)) {
      return true;
    }
    try {
      JsonNode root = JsonMapper.shared().readTree(Files.readAllBytes(config));
      if (!root.isObject()) {
        throw new IOException(config + ": is not a JSON object");
      }
      return root.path(MergedModelWriter.TIED).asBoolean(true); // as transformers takes it
    } catch (JacksonException e) {
      throw new IOException(config + ": is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * A tensor that was found.
   *
   * @param tensor of the base model
   * @param untied whether the adapter means an output embedding that the base has only as this, its
   *     input embedding
   */
  public record Found(Tensor tensor, boolean untied) {}

  /**
   * Finds the base's tensor of a name, with or without a prefix.
   *
   * @param name the name
   * @return the tensor; null if there is none
   * @throws AmbiguousNameException if several could be meant
   */
  public @Nullable Found find(String name) throws AmbiguousNameException {
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
    addOtherPrefixes(name, LANGUAGE_MODELS, candidates);
    addOtherPrefixes(name, HEADS, candidates);
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

  /** Adds the names that begin with another of the prefixes. */
  private static void addOtherPrefixes(String name, List<String> prefixes, Set<String> candidates) {
    for (String prefix : prefixes) {
      if (name.startsWith(prefix)) {
        String rest = name.substring(prefix.length());
        prefixes.forEach(other -> candidates.add(other + rest));
      }
    }
    candidates.remove(name);
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

  /** Thrown if several tensors could be meant. */
  public static final class AmbiguousNameException extends Exception {
    AmbiguousNameException(String message) {
      super(message);
    }
  }
}
