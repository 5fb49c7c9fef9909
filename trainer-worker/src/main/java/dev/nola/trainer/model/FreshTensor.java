package dev.nola.trainer.model;

import java.util.List;

/**
 * A tensor of a network that is trained from scratch.
 *
 * @param name name of the tensor
 * @param shape size of each dimension
 * @param role what it is for
 */
public record FreshTensor(String name, List<Integer> shape, Role role) {
  /** What a tensor is for, which decides how it begins and who changes it. */
  public enum Role {
    /** What inputs are multiplied by: random, and adapted by the method. */
    WEIGHT,
    /** A summand: zeros, trained whole. */
    BIAS,
    /** A factor of each channel: ones, trained whole. */
    GAIN,
    /** The mean over the batches so far: zeros, changed by each step's forward pass. */
    RUNNING_MEAN,
    /** The variance over the batches so far: ones, changed by each step's forward pass. */
    RUNNING_VARIANCE
  }

  /** Copies the list. */
  public FreshTensor {
    shape = List.copyOf(shape);
  }
}
