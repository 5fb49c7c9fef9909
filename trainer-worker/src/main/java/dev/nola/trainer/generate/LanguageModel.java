package dev.nola.trainer.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.KeyValueCache;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;

/**
 * A language model that is asked for next tokens.
 *
 * @param network the model
 * @param weights its weights, prepared, with or without an adapter
 */
record LanguageModel(Network network, AdaptedWeights weights) {
  /**
   * Computes the logits of the next token of each text.
   *
   * @param cache of the tokens before; receives those of the inputs
   * @param inputs new tokens of each text, as many of each
   * @return logits by text and token
   * @throws InterruptedException if the thread was interrupted
   */
  float[][] next(KeyValueCache cache, List<int[]> inputs) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("the generation was interrupted");
    }
    Tensors.recordGradients(false);
    int rows = inputs.size();
    int tokens = inputs.getFirst().length;
    long[] ids = inputs.stream().flatMapToInt(Arrays::stream).asLongStream().toArray();
    long[] last = new long[rows];
    for (int row = 0; row < rows; row++) {
      last[row] = (row + 1L) * tokens - 1;
    }
    try (NDManager step = Tensors.newManager()) {
      weights.begin(step, false);
      NDArray input = Tensors.create(step, ids, rows, tokens);
      Batch batch = new Batch(input, input, Tensors.create(step, last, rows), cache);
      float[] all = network.logits(batch, weights).toFloatArray();
      cache.advance(tokens);
      int vocabulary = all.length / rows;
      float[][] logits = new float[rows][];
      for (int row = 0; row < rows; row++) {
        logits[row] = Arrays.copyOfRange(all, row * vocabulary, (row + 1) * vocabulary);
      }
      return logits;
    }
  }
}
