package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** A model without its weights. */
public interface Network {
  /**
   * The forward pass.
   *
   * @return logits: of B×T×V for a language model, of B×classes for a classifier
   */
  NDArray logits(Batch batch, Weights weights);

  /**
   * Names of the tensors of two dimensions that a method may adapt: those that the forward pass
   * multiplies by. In the order of the forward pass.
   */
  List<String> adaptable();
}
