package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** A model without its weights. */
public interface Network {
  /**
   * Computes the forward pass.
   *
   * @param batch texts or features
   * @param weights weights of the model
   * @return logits: B×T×V for a language model, B×classes for a classifier
   */
  NDArray logits(Batch batch, Weights weights);

  /**
   * Names the matrices that a method may adapt: those that the forward pass multiplies by.
   *
   * @return names in the order of the forward pass
   */
  List<String> adaptable();
}
