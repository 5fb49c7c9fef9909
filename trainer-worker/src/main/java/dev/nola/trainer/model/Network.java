package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model without its weights. */
public interface Network {
  /**
   * Computes the forward pass.
   *
   * @param batch texts or features
   * @param weights weights of the model
   * @return logits: B×T×V for a language model, or N×V of the batch's positions; B×classes for a
   *     classifier
   */
  NDArray logits(Batch batch, Weights weights);

  /**
   * Returns the matrices that a method may adapt: those that the forward pass multiplies by.
   *
   * @return them in the order of the forward pass, at least one
   */
  List<Adaptable> adaptable();

  /**
   * Returns what the names of the transformer's tensors begin with in the files of some classes,
   * and not here.
   *
   * @return such as {@code bert.}; empty if the names are the same in all
   */
  default String prefix() {
    return "";
  }

  /**
   * Returns the classifier that is trained with a pre-trained model.
   *
   * @return the classifier; null for a language model, and for a model trained from scratch
   */
  default @Nullable Head head() {
    return null;
  }

  /**
   * Returns whether the forward pass uses a tensor of the base model.
   *
   * @param tensor name of the tensor
   * @return false for what belongs to another head
   */
  default boolean uses(String tensor) {
    return true;
  }
}
