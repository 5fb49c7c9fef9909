package dev.nola.trainer.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.Set;

/** Continues a text with the most likely token at each step. */
public final class GreedyDecoding {
  private GreedyDecoding() {}

  /**
   * Generates tokens, each by a forward pass over all before it.
   *
   * @param network a language model
   * @param weights its weights, prepared, with or without an adapter
   * @param prompt at least one token
   * @param limit maximum number of tokens to generate
   * @param ends the tokens that end a text; they are not among those returned
   * @return the tokens after the prompt, {@code limit} of them unless the text ended before
   * @throws InterruptedException if the thread was interrupted
   */
  public static int[] generate(
      Network network, AdaptedWeights weights, int[] prompt, int limit, Set<Integer> ends)
      throws InterruptedException {
    int[] text = Arrays.copyOf(prompt, prompt.length + limit);
    Tensors.recordGradients(false);
    for (int length = prompt.length; length < text.length; length++) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the generation was interrupted");
      }
      int next = next(network, weights, Arrays.copyOf(text, length));
      if (ends.contains(next)) {
        return Arrays.copyOfRange(text, prompt.length, length);
      }
      text[length] = next;
    }
    return Arrays.copyOfRange(text, prompt.length, text.length);
  }

  private static int next(Network network, AdaptedWeights weights, int[] text) {
    try (NDManager manager = Tensors.newManager()) {
      weights.begin(manager, false);
      NDArray inputs =
          Tensors.create(manager, Arrays.stream(text).asLongStream().toArray(), 1, text.length);
      NDArray last = Tensors.create(manager, new long[] {text.length - 1}, 1);
      NDArray logits = network.logits(new Batch(inputs, inputs, last), weights);
      return (int) logits.argMax().getLong();
    }
  }
}
