package dev.nola.client.merge;

import dev.nola.client.PythonJson;
import dev.nola.client.peft.TorchType;
import dev.nola.client.safetensors.Model;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a merged model's {@value Model#CONFIG}: the base's, with what the merge changes.
 *
 * @param untied whether the embeddings are no longer tied
 * @param dtype the type that the weights were converted to; null if they were not
 * @param head the classifier, if adapters bring one
 */
record MergedConfig(boolean untied, @Nullable DType dtype, MergedHead head) {
  /**
   * Writes the config, byte for byte the base's if nothing changes.
   *
   * @param base a model with a config
   * @param destination the file to create
   */
  void write(Model base, Path destination) throws IOException {
    ObjectNode config = base.config();
    if (config == null || !untied && dtype == null && !head.isStated()) {
      Files.copy(base.path().resolve(Model.CONFIG), destination);
      return;
    }
    if (untied) {
      TiedEmbeddings.untie(config);
    }
    if (dtype != null) {
      TorchType.set(config, dtype);
    }
    head.write(config);
    Files.write(
        destination,
        PythonJson.mapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(config));
  }
}
