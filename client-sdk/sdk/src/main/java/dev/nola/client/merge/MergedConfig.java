package dev.nola.client.merge;

import dev.nola.client.peft.TorchType;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a merged model's {@value #FILE}: the base's, with what the merge changes.
 *
 * @param untied whether the embeddings are tied no longer
 * @param dtype the type that the weights were converted to; null if they were not
 * @param head the classifier, if adapters bring one
 */
record MergedConfig(boolean untied, @Nullable DType dtype, MergedHead head) {
  static final String FILE = "config.json";

  void write(Path source, Path destination) throws IOException {
    if (!untied && dtype == null && !head.isStated()) {
      Files.copy(source, destination);
      return;
    }
    ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(Files.readAllBytes(source));
    if (untied) {
      TiedEmbeddings.untie(config);
    }
    if (dtype != null) {
      TorchType.set(config, dtype);
    }
    head.write(config);
    Files.write(
        destination,
        JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(config));
  }
}
