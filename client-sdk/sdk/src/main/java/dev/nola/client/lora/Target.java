package dev.nola.client.lora;

import java.util.List;

/**
 * The tensor that a pair of factors adapts.
 *
 * @param key the path that the config's patterns match: of the module, or of the parameter
 * @param tensor its name in the base model
 * @param shape its stored shape
 * @param isTransposed whether ΔW is stored as in×out
 * @param experts number of matrices of a three-dimensional tensor, each with factors of its own; 0
 *     if the tensor is one matrix, or a convolution
 * @param parts if the base model has the experts apart, the tensors of which each expert's matrix
 *     consists, from the first output to the last; otherwise empty
 */
record Target(
    String key,
    String tensor,
    List<Integer> shape,
    boolean isTransposed,
    int experts,
    List<List<String>> parts) {
  Target(String key, String tensor, List<Integer> shape, boolean isTransposed) {
    this(key, tensor, shape, isTransposed, 0, List.of());
  }
}
