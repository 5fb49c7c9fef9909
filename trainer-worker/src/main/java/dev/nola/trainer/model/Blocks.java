package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;

/** Building blocks of transformers. B sequences of T tokens, H heads of D dimensions. */
final class Blocks {
  private Blocks() {}

  /**
   * Computes x · 1/√(mean x² + ε) over the last dimension (RMSNorm, without its weight). The
   * gradient of a product takes half the operations of a quotient's, of x's size.
   */
  static NDArray rmsNorm(NDArray x, double epsilon) {
    NDArray meanSquare = x.square().mean(new int[] {-1}, true);
    return x.mul(Tensors.rsqrt(meanSquare.add(Constants.number(epsilon))));
  }

  /** Normalizes over the last dimension, with the weight and bias of a module. */
  static NDArray layerNorm(NDArray x, String module, double epsilon, Weights weights) {
    return Tensors.layerNorm(
        x, weights.tensor(module + ".weight"), weights.tensor(module + ".bias"), epsilon);
  }

  /** Turns B×T×(H·D) into B×H×T×D. */
  static NDArray heads(NDArray x, long count) {
    Shape shape = x.getShape();
    return x.reshape(shape.get(0), shape.get(1), count, shape.get(2) / count).transpose(0, 2, 1, 3);
  }

  /**
   * Computes attention, softmax(Q·Kᵀ/√D + mask)·V. Several query heads may share a key head: query
   * head h uses key head h·G/H.
   *
   * @param queries Q, B×H×T×D
   * @param keys K, B×G×S×D, H a multiple of G
   * @param values V, B×G×S×D
   * @param mask summand of the scores, of a shape that broadcasts to B×1×T×S; null for none
   * @return B×T×(H·D)
   */
  static NDArray attention(NDArray queries, NDArray keys, NDArray values, @Nullable NDArray mask) {
    long dimensions = queries.getShape().get(3);
    return attention(queries, keys, values, mask, new Scores(1 / Math.sqrt(dimensions), 0));
  }

  /**
   * How the scores of attention are computed.
   *
   * @param scale what queries are multiplied by
   * @param cap bound that scores are softly kept within, by cap·tanh(score/cap); 0 for none
   */
  record Scores(double scale, double cap) {}

  /** Computes attention with other scores than usual. */
  static NDArray attention(
      NDArray queries, NDArray keys, NDArray values, @Nullable NDArray mask, Scores settings) {
    Shape shape = queries.getShape();
    long batch = shape.get(0);
    long heads = shape.get(1);
    long tokens = shape.get(2);
    long dimensions = shape.get(3);
    long groups = keys.getShape().get(1);
    long seen = keys.getShape().get(2);
    // Treats query heads of one group as further queries of its key head, so nothing is copied.
    // Divides the queries rather than the scores, of which there are T/D times as many.
    NDArray grouped =
        queries
            .mul(Constants.number(settings.scale))
            .reshape(batch, groups, heads / groups * tokens, dimensions);
    NDArray scores = grouped.matMul(keys.transpose(0, 1, 3, 2));
    scores = capped(scores.reshape(batch, heads, tokens, seen), settings.cap);
    if (mask != null) {
      scores = scores.add(mask);
    }
    NDArray mixed =
        scores
            .softmax(-1)
            .reshape(batch, groups, heads / groups * tokens, seen)
            .matMul(values)
            .reshape(batch, heads, tokens, dimensions);
    return mixed.transpose(0, 2, 1, 3).reshape(batch, tokens, heads * dimensions);
  }

  /** Keeps values within a bound, by cap·tanh(x/cap); 0 for none. */
  static NDArray capped(NDArray x, double cap) {
    return cap == 0 ? x : x.mul(Constants.number(1 / cap)).tanh().mul(Constants.number(cap));
  }

  /** Makes a mask, B×1×1×T, that hides padding. */
  static NDArray paddingMask(NDArray mask) {
    Shape shape = mask.getShape();
    return mask.sub(Constants.number(1))
        .mul(Constants.number(-Constants.MASKED))
        .reshape(shape.get(0), 1, 1, shape.get(1));
  }

  /**
   * Rotates pairs of dimensions (i, i + D/2) of each token by angles that grow with its position
   * (RoPE, in the half-split order of Hugging Face).
   *
   * @param x queries or keys, B×H×T×D
   * @param positions how fast the dimensions turn
   * @param past number of tokens before these
   */
  static NDArray rotate(NDArray x, RotaryPositions positions, int past) {
    int tokens = (int) x.getShape().get(2);
    int dimensions = (int) x.getShape().get(3);
    int half = dimensions / 2;
    NDManager step = x.getManager();
    NDArray first = x.get("..., :" + half);
    NDArray second = x.get("..., " + half + ":");
    NDArray turned = second.neg().concat(first, -1);
    return x.mul(Constants.cosines(step, positions, past, tokens, dimensions))
        .add(turned.mul(Constants.sines(step, positions, past, tokens, dimensions)));
  }
}
