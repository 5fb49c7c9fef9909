package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;

/**
 * The weights of a model as its forward pass uses them. Names are those of the model's safetensors.
 */
public interface Weights {
  /**
   * Tells whether there is a tensor.
   *
   * @param name name of the tensor
   * @return whether there is one
   */
  boolean has(String name);

  /**
   * Returns a tensor, for other uses than a matrix product.
   *
   * @param name name of the tensor
   * @return the tensor
   * @throws IllegalArgumentException if it does not exist
   */
  NDArray tensor(String name);

  /**
   * Returns rows of a table.
   *
   * @param ids numbers of the rows (i64)
   * @param name name of the table
   * @return a row for each number
   * @throws IllegalArgumentException if it does not exist
   */
  NDArray embedding(NDArray ids, String name);

  /**
   * Computes x·Wᵀ + b.
   *
   * @param x input, …×in
   * @param module name of the module: W is {@code module.weight}, out×in, and b {@code
   *     module.bias}, if there is one
   * @return …×out
   */
  NDArray linear(NDArray x, String module);

  /**
   * Normalizes each channel by the batch in training, and by the batches so far otherwise.
   *
   * @param x B×channels×height×width
   * @param module name of the module, with {@code weight}, {@code bias}, {@code running_mean} and
   *     {@code running_var}; training changes the last two
   * @return as x
   */
  NDArray batchNorm(NDArray x, String module);

  /**
   * Computes x·W + b with a matrix that is stored transposed, as in GPT-2.
   *
   * @param x input, …×in
   * @param module name of the module: W is {@code module.weight}, in×out, and b {@code module.bias}
   * @return …×out
   */
  NDArray conv1d(NDArray x, String module);
}
