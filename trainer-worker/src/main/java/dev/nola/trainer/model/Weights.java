package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;

/**
 * The weights of a model as its forward pass sees them. Names are those of the model's safetensors.
 */
public interface Weights {
  /** Whether there is such a tensor. */
  boolean has(String name);

  /** A tensor by itself, for what is no matrix product. */
  NDArray tensor(String name);

  /**
   * x·Wᵀ + b, with {@code module.weight} of out×in and {@code module.bias}, if there is one.
   *
   * @param x of …×in
   * @return of …×out
   */
  NDArray linear(NDArray x, String module);
}
