package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The weights and sizes of BERT in an ONNX graph.
 *
 * @param config sizes
 * @param weights weights by their names in Hugging Face's BertModel
 * @param others names of initializers that are not weights
 */
record Encoder(OnnxImport.Config config, SortedMap<String, Weight> weights, List<String> others) {
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

  /**
   * Finds the weights by their names, and those of linear modules by the names of the biases that
   * are added to their products.
   *
   * @param file the ONNX file
   * @param heads number of attention heads, or null to read it from the graph
   * @param epsilon ε of the norms, or null to read it from the graph
   * @return weights and sizes
   * @throws InvalidOnnxException if the graph is not a BERT encoder in f32
   */
  static Encoder of(OnnxFile file, @Nullable Integer heads, @Nullable Double epsilon)
      throws InvalidOnnxException {
    return new EncoderSearch(file).encoder(heads, epsilon);
  }
}
