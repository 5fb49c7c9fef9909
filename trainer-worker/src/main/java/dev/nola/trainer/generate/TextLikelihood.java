package dev.nola.trainer.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.client.Progress;
import dev.nola.trainer.data.Example.Completion;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes how likely a language model holds the ends of texts. Texts of similar length are
 * computed together, and those that differ in their last token alone only once.
 *
 * @param network a language model
 * @param weights its weights, with or without an adapter
 * @param batchSize number of texts at a time
 */
public record TextLikelihood(Network network, AdaptedWeights weights, int batchSize) {
  /** What the model reads of a text: all tokens but the last. */
  private record Input(IntBuffer tokens, int prompt) {
    static Input of(Completion text) {
      return new Input(IntBuffer.wrap(text.tokens(), 0, text.tokens().length - 1), text.prompt());
    }
  }

  /**
   * Computes log-likelihoods.
   *
   * @param texts the texts
   * @param progress receives the number of different inputs that are done
   * @return the sum of the natural logarithms of the probabilities of each text's tokens after its
   *     prompt
   * @throws InterruptedException if the thread was interrupted
   */
  public double[] of(List<Completion> texts, Progress progress) throws InterruptedException {
    Map<Input, List<Integer>> byInput = new LinkedHashMap<>();
    for (int i = 0; i < texts.size(); i++) {
      byInput.computeIfAbsent(Input.of(texts.get(i)), _ -> new ArrayList<>()).add(i);
    }
    List<List<Integer>> groups = new ArrayList<>(byInput.values());
    groups.sort(
        Comparator.comparing(group -> -texts.get(group.getFirst()).tokens().length)); // longest 1st
    double[] results = new double[texts.size()];
    weights.prepare();
    Tensors.recordGradients(false);
    for (int first = 0; first < groups.size(); first += batchSize) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the evaluation was interrupted");
      }
      int end = Math.min(groups.size(), first + batchSize);
      compute(texts, groups.subList(first, end), results);
      progress.at(end, groups.size());
    }
    return results;
  }

  private void compute(List<Completion> texts, List<List<Integer>> groups, double[] results) {
    try (NDManager step = Tensors.newManager()) {
      weights.begin(step, false);
      List<Completion> inputs = groups.stream().map(group -> texts.get(group.getFirst())).toList();
      NDArray logits = network.logits(Minibatch.completions(step, inputs).batch(), weights);
      long rows = logits.getShape().get(0);
      long vocabulary = logits.getShape().get(1);
      List<Long> elements = new ArrayList<>();
      long row = 0;
      for (List<Integer> group : groups) {
        for (int index : group) {
          Completion text = texts.get(index);
          for (int t = text.prompt(); t < text.tokens().length; t++) {
            elements.add((row + t - text.prompt()) * vocabulary + text.tokens()[t]);
          }
        }
        row += Minibatch.targetCount(texts.get(group.getFirst()));
      }
      long[] ids = elements.stream().mapToLong(Long::longValue).toArray();
      float[] logarithms =
          Tensors.embedding(
                  Tensors.create(step, ids, ids.length),
                  logits.logSoftmax(-1).reshape(rows * vocabulary, 1))
              .toFloatArray();
      int next = 0;
      for (List<Integer> group : groups) {
        for (int index : group) {
          for (long t = 0; t < Minibatch.targetCount(texts.get(index)); t++) {
            results[index] += logarithms[next++];
          }
        }
      }
    }
  }
}
