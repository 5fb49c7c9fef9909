package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * BERT's weights and sizes in an ONNX graph.
 *
 * @param config sizes
 * @param weights by their names in Hugging Face's BertModel
 * @param left initializers that are no weights
 */
record Encoder(OnnxImport.Config config, SortedMap<String, Weight> weights, List<String> left) {
  /** A weight, and whether it is stored as in×out. */
  record Weight(Tensor tensor, boolean transposed) {
    /** As it should be stored: out×in. */
    List<Long> shape() {
      return transposed ? tensor.shape().reversed() : tensor.shape();
    }
  }

  /**
   * Finds the weights by their names, and those of linear modules by the names of the biases that
   * are added to their products.
   *
   * @param heads number of attention heads, which the graph is asked for when null
   * @param epsilon of the norms, likewise
   */
  static Encoder of(OnnxFile file, @Nullable Integer heads, @Nullable Double epsilon)
      throws InvalidOnnxException {
    return new EncoderSearch(file).encoder(heads, epsilon);
  }
}
