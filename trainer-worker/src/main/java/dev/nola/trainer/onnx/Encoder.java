package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.util.List;
import java.util.SortedMap;

/**
 * The weights and sizes of BERT in an ONNX graph.
 *
 * @param config sizes
 * @param weights weights by their names in Hugging Face's BertModel
 * @param skipped names of initializers that are not weights
 */
record Encoder(EncoderConfig config, SortedMap<String, Weight> weights, List<String> skipped) {
  /**
   * A weight.
   *
   * @param tensor its elements
   * @param transposed whether they are stored as in×out
   */
  record Weight(Tensor tensor, boolean transposed) {
    /** Returns the shape that it is written with: out×in. */
    List<Long> shape() {
      return transposed ? tensor.shape().reversed() : tensor.shape();
    }
  }
}
