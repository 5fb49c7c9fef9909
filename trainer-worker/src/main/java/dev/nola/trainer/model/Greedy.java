package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.trainer.method.AdaptedWeights;
import java.util.Arrays;

/** Goes on with a text by the token that is likeliest each time. */
public final class Greedy {
  private Greedy() {}

  /**
   * Generates tokens, each by a forward pass over all before it.
   *
   * @param prompt at least one token
   * @param most tokens to generate
   * @param end the token after which nothing follows; it is not among those returned
   * @return the tokens behind the prompt
   * @throws InterruptedException if the thread was interrupted
   */
  public static int[] generate(
      Network network, AdaptedWeights weights, int[] prompt, int most, int end)
      throws InterruptedException {
    int[] text = Arrays.copyOf(prompt, prompt.length + most);
    weights.prepare();
    Tensors.recordGradients(false);
    for (int length = prompt.length; length < text.length; length++) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the generation was interrupted");
      }
      int next = next(network, weights, Arrays.copyOf(text, length));
      if (next == end) {
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
      NDArray logits = network.logits(new Batch(inputs, inputs), weights);
      return (int) logits.get(0, text.length - 1).argMax().getLong();
    }
  }
}
