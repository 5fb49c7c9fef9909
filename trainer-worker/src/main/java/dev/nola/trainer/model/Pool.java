package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/** Selects what a classifier sees of a sequence. */
final class Pool {
  private Pool() {}

  /**
   * Computes one vector for each sequence.
   *
   * @param hidden hidden states, B×T×d
   * @param head the classifier
   * @param batch the sequences
   * @return B×d
   */
  static NDArray of(NDArray hidden, Head head, Batch batch) {
    return switch (head.pooling()) {
      case CLS -> select(hidden, new int[(int) hidden.getShape().get(0)]);
      case LAST_TOKEN -> select(hidden, lastTokens(batch, head.padToken()));
      case MEAN -> {
        Shape shape = batch.mask().getShape();
        NDArray mask = batch.mask().reshape(shape.get(0), shape.get(1), 1);
        yield hidden.mul(mask).sum(new int[] {1}).div(mask.sum(new int[] {1}));
      }
    };
  }

  /** Returns the position of the last token of each sequence that is not padding. */
  private static int[] lastTokens(Batch batch, int padToken) {
    int tokens = (int) batch.mask().getShape().get(1);
    float[] isToken = batch.mask().toFloatArray();
    long[] inputs = batch.inputs().toLongArray();
    int[] last = new int[isToken.length / tokens];
    for (int i = 0; i < isToken.length; i++) {
      if (isToken[i] == 1 && inputs[i] != padToken) {
        last[i / tokens] = i % tokens;
      }
    }
    return last;
  }

  /** Returns the hidden states at one position of each sequence, by a product with ones. */
  private static NDArray select(NDArray hidden, int[] positions) {
    int tokens = (int) hidden.getShape().get(1);
    float[] selected = new float[positions.length * tokens];
    for (int row = 0; row < positions.length; row++) {
      selected[row * tokens + positions[row]] = 1;
    }
    NDArray selection = Tensors.create(hidden.getManager(), selected, positions.length, tokens, 1);
    return hidden.mul(selection).sum(new int[] {1});
  }
}
