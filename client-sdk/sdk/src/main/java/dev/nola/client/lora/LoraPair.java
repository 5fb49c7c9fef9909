package dev.nola.client.lora;

import dev.nola.client.safetensors.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The two factors of one module, as stored in the file.
 *
 * @param module path of the module in the loaded model, without wrappers
 * @param depth number of wrappers around the module within this one; more than 0 only if several
 *     parameters of a module are adapted
 * @param isEmbedding whether the module is an embedding, whose factors are stored transposed
 * @param a lora_A: r×in, followed by the kernel's dimensions for convolutions; r×vocabulary for
 *     embeddings
 * @param b lora_B: out×r; dim×r for embeddings
 */
record LoraPair(String module, int depth, boolean isEmbedding, Tensor a, Tensor b) {
  /** Returns the rows of lora_A: the rank, times the number of experts. */
  long rank() {
    return a.shape().getFirst();
  }

  /** Returns the inputs of the module; the words for embeddings. */
  long inputs() {
    return a.shape().get(1);
  }

  /** Returns the outputs of the module. */
  long outputs() {
    return b.shape().getFirst();
  }

  /**
   * Returns the shape of ΔW if the weight is stored as out×in, followed by the kernel's dimensions.
   */
  List<Long> linearShape() {
    List<Long> shape = new ArrayList<>(List.of(outputs(), inputs()));
    shape.addAll(a.shape().subList(2, a.shape().size()));
    return shape;
  }

  /** Returns the shape of ΔW if the weight is stored as in×out. */
  List<Long> transposedShape() {
    return List.of(inputs(), outputs());
  }

  boolean isConvolution() {
    return a.shape().size() > 2;
  }
}
