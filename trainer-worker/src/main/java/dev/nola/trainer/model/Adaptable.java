package dev.nola.trainer.model;

import dev.nola.format.Slice;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of a model, or a part of one, that a method may adapt.
 *
 * @param name what patterns of targets are matched with: the tensor's name, or, of a part, the name
 *     that other models have for it
 * @param tensor name of the tensor in the model
 * @param slice the part; null for the whole tensor
 * @param isTransposed whether it is stored as in×out, and not as out×in
 */
public record Adaptable(String name, String tensor, @Nullable Slice slice, boolean isTransposed) {
  /**
   * Returns a whole matrix of out×in, or a tensor whose first dimension counts outputs.
   *
   * @param tensor name of the tensor
   * @return the matrix
   */
  public static Adaptable whole(String tensor) {
    return new Adaptable(tensor, tensor, null, false);
  }
}
