package dev.nola.trainer.model;

import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import org.jspecify.annotations.Nullable;

/**
 * A classifier on a transformer: a linear layer on what it sees of a text or image.
 *
 * @param pooling what it sees
 * @param module module of the layer
 * @param biased whether the layer has a bias
 * @param pooler module that {@link Pooling#CLS} computes before it, with a tanh; null for none
 * @param padToken id of padding in Transformers, whose class looks for the last other token with
 *     {@link Pooling#LAST_TOKEN}; −1 for none
 * @param headClass class of Transformers that computes the same; null if none does
 */
public record Head(
    Pooling pooling,
    String module,
    boolean biased,
    @Nullable String pooler,
    int padToken,
    @Nullable HeadClass headClass) {
  /**
   * Returns whether a tensor belongs to the classifier or its pooler.
   *
   * @param tensor name of the tensor
   * @return true if it is in one of their modules
   */
  public boolean has(String tensor) {
    return tensor.startsWith(module + ".") || pooler != null && tensor.startsWith(pooler + ".");
  }
}
