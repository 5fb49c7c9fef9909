package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A model without its weights. */
public interface Network {
  /**
   * Computes the forward pass.
   *
   * @param input what the model {@link #reads}
   * @param weights weights of the model
   * @return logits: B×T×V for a language model, or N×V of the batch's positions; B×classes for a
   *     classifier
   */
  NDArray logits(Input input, Weights weights);

  /**
   * Returns what the model reads.
   *
   * @return the kind of its input
   */
  default Input.Kind reads() {
    return Input.Kind.TEXTS;
  }

  /**
   * Computes what the classifier of a network with a {@link #head} sees.
   *
   * @param input what the model {@link #reads}
   * @param weights weights of the model, which may lack the classifier's
   * @return B×d
   * @throws UnsupportedOperationException if the network has no head
   */
  default NDArray features(Input input, Weights weights) {
    throw new UnsupportedOperationException("network has no head");
  }

  /**
   * Returns the matrices that a method may adapt: those that the forward pass multiplies by.
   *
   * @return them in the order of the forward pass, at least one
   */
  List<Adaptable> adaptable();

  /**
   * Returns the tensors of a network that is trained from scratch.
   *
   * @param classes number of classes in the data
   * @return all of them, in the order of the forward pass; empty for a pre-trained model
   */
  default List<FreshTensor> fresh(int classes) {
    return List.of();
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
   * Returns the name by which the forward pass asks for a tensor: checkpoints of the model with and
   * without a head name it with or without a prefix.
   *
   * @param stored name of the tensor in a file
   * @return name here
   */
  default String nameOf(String stored) {
    return stored;
  }

  /**
   * Checks that a model has the tensors that no training adds.
   *
   * @param tensors names of its tensors here
   * @throws UnsupportedModelException if one is missing; the message names the remedy
   */
  default void requireComplete(Set<String> tensors) throws UnsupportedModelException {}

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
