package dev.nola.client.export;

import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is exported.
 *
 * @param file the adapter
 * @param base the base model; null if it is not known
 * @param config the base model's config
 * @param name the base model's name
 * @param paths where the loaded model has the modules
 * @param task what the loaded model is for; null if it is not known
 */
public record ExportSource(
    AdapterFile file,
    @Nullable Model base,
    BaseConfig config,
    StatedBase name,
    ModulePaths paths,
    @Nullable TaskType task) {
  /**
   * Returns the adapter.
   *
   * @return the adapter
   */
  public Adapter adapter() {
    return file.adapter();
  }

  /**
   * Returns whether the output embedding may be the input embedding.
   *
   * @return true if the base model is not known, or shares it
   * @throws IOException if the base model's config cannot be read
   */
  public boolean mayTieEmbeddings() throws IOException {
    return base == null || TensorNames.of(base).sharesEmbedding();
  }

  /**
   * Finds what a format cannot hold that has factors of linear modules alone.
   *
   * @param title the format in messages
   * @param wrong receives a sentence for each embedding and dense tensor
   */
  public void requireLinearModules(String title, List<String> wrong) {
    for (Layer layer : adapter().layers()) {
      if (ModulePaths.isWordEmbedding(ModulePaths.moduleOf(layer.tensor()))) {
        wrong.add(
            "%s: is an embedding; a %s has linear modules alone".formatted(layer.tensor(), title));
      }
    }
    for (DenseTensor tensor : adapter().dense()) {
      wrong.add("%s: is stored whole; a %s has factors alone".formatted(tensor.name(), title));
    }
  }
}
