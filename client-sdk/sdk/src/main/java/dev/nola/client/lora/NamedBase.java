package dev.nola.client.lora;

import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.reconstruct.BaseIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The base model, with the rules by which its tensors are found.
 *
 * @param model its tensors
 * @param names finds a tensor by the name that it has in the loaded model
 * @param loaded finds a tensor by another name that it may have in the loaded model
 * @param config its config
 */
record NamedBase(Model model, TensorNames names, LoadedNames loaded, BaseConfig config)
    implements AutoCloseable {
  /** The name of an output embedding that the base model does not store. */
  static final String OUTPUT = "lm_head.weight";

  /**
   * Opens a base model.
   *
   * @param path a safetensors file, or a folder as {@link Model#open} takes it
   * @throws IOException if it cannot be read, or is not a model
   */
  static NamedBase open(Path path) throws IOException {
    Model model = Model.open(path);
    try {
      BaseConfig config = BaseConfig.of(model);
      return new NamedBase(model, TensorNames.of(model), new LoadedNames(model, config), config);
    } catch (IOException | RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /**
   * Finds a tensor; null if absent or ambiguous.
   *
   * @param wrong receives a sentence if several could be meant
   */
  TensorNames.@Nullable Found find(String name, List<String> wrong) {
    try {
      TensorNames.Found found = names.find(name);
      String stored = found == null ? loaded.stored(name) : null;
      return stored == null ? found : names.find(stored);
    } catch (TensorNames.AmbiguousNameException e) {
      wrong.add(e.getMessage());
      return null;
    }
  }

  /**
   * Returns the input embedding that is the output embedding too, because no other is stored; null
   * if absent.
   */
  @Nullable Tensor tiedEmbedding() {
    TensorNames.Found head = find(OUTPUT, new ArrayList<>());
    return head != null && head.untied() ? head.tensor() : null;
  }

  /** Returns the part of the base's identity for a tensor that was found. */
  static BaseIdentity.Tensor identity(String name, Tensor tensor) {
    return BaseIdentity.Tensor.of(
        name,
        tensor.adaptableType().orElseThrow(),
        tensor.shape().stream().map(Math::toIntExact).toList(),
        tensor.data());
  }

  @Override
  public void close() {
    model.close();
  }
}
