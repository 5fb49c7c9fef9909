package dev.nola.trainer.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.client.Progress;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Classifies examples by the training examples whose features have the largest cosine with theirs:
 * the paper's 1-NN in table 6, which trains nothing. Features are what a classifier would see.
 *
 * @param network a network with a head
 * @param weights its weights
 * @param batchSize number of examples at a time
 */
public record NearestNeighbors(Network network, AdaptedWeights weights, int batchSize) {
  /**
   * What was found of an example.
   *
   * @param label number of its class
   * @param found number of the class of its neighbors
   */
  public record Prediction(int label, int found) {}

  /** A training example and its cosine. */
  private record Neighbor(int index, float cosine) {
    /** Farther ones first, and of equal ones the later. */
    static final Comparator<Neighbor> FARTHEST_FIRST =
        Comparator.comparingDouble(Neighbor::cosine)
            .thenComparing(Neighbor::index, Comparator.reverseOrder());
  }

  /**
   * Classifies examples.
   *
   * @param train examples whose classes are known, at least one
   * @param examples examples of the same kind
   * @param k number of neighbors that vote; of classes with as many votes, that of the nearest
   *     neighbor wins
   * @param progress receives the number of examples whose features are computed
   * @return the class that was found of each example, in their order
   * @throws IOException if an example cannot be read
   * @throws InterruptedException if the thread is interrupted
   */
  public List<Prediction> classify(
      List<? extends Example> train, List<? extends Example> examples, int k, Progress progress)
      throws IOException, InterruptedException {
    List<Example> all = new ArrayList<>(train);
    all.addAll(examples);
    weights.prepare();
    Tensors.recordGradients(false);
    int[] labels = new int[all.size()];
    float[][] features = new float[all.size()][];
    for (int start = 0; start < all.size(); start += batchSize) {
      int end = Math.min(all.size(), start + batchSize);
      compute(all.subList(start, end), start, features, labels);
      progress.at(end, all.size());
    }
    int width = features[0].length;
    List<Prediction> predictions = new ArrayList<>();
    try (NDManager manager = Tensors.newManager()) {
      NDArray known =
          Tensors.create(manager, joined(features, 0, train.size()), train.size(), width);
      for (int start = 0; start < examples.size(); start += batchSize) {
        int count = Math.min(batchSize, examples.size() - start);
        try (NDManager step = Tensors.newManager()) {
          float[] queries = joined(features, train.size() + start, count);
          float[] cosines =
              Tensors.linear(Tensors.create(step, queries, count, width), known, null)
                  .toFloatArray();
          for (int i = 0; i < count; i++) {
            int found = vote(cosines, i * train.size(), train.size(), labels, k);
            predictions.add(new Prediction(labels[train.size() + start + i], found));
          }
        }
      }
    }
    return predictions;
  }

  private void compute(List<Example> examples, int first, float[][] features, int[] labels)
      throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("the evaluation was interrupted");
    }
    try (NDManager step = Tensors.newManager()) {
      weights.begin(step, false);
      Minibatch batch = Minibatch.of(step, examples);
      long[] targets = batch.targets().toLongArray();
      float[] values = network.features(batch.batch(), weights).toFloatArray();
      int width = values.length / examples.size();
      for (int i = 0; i < examples.size(); i++) {
        features[first + i] = normalized(values, i * width, width);
        labels[first + i] = (int) targets[i];
      }
    }
  }

  /** Returns a vector divided by its length. */
  private static float[] normalized(float[] values, int start, int width) {
    double sum = 0;
    for (int i = start; i < start + width; i++) {
      sum += (double) values[i] * values[i];
    }
    double length = Math.max(Math.sqrt(sum), Float.MIN_NORMAL); // zeros stay zeros
    float[] result = new float[width];
    for (int i = 0; i < width; i++) {
      result[i] = (float) (values[start + i] / length);
    }
    return result;
  }

  private static float[] joined(float[][] vectors, int start, int count) {
    int width = vectors[start].length;
    float[] joined = new float[count * width];
    for (int i = 0; i < count; i++) {
      System.arraycopy(vectors[start + i], 0, joined, i * width, width);
    }
    return joined;
  }

  private static int vote(float[] cosines, int offset, int count, int[] labels, int k) {
    PriorityQueue<Neighbor> nearest = new PriorityQueue<>(Neighbor.FARTHEST_FIRST);
    for (int i = 0; i < count; i++) {
      nearest.add(new Neighbor(i, cosines[offset + i]));
      if (nearest.size() > k) {
        nearest.remove();
      }
    }
    List<Neighbor> ordered = new ArrayList<>(nearest);
    ordered.sort(Neighbor.FARTHEST_FIRST.reversed());
    Map<Integer, Integer> votes = new HashMap<>();
    ordered.forEach(neighbor -> votes.merge(labels[neighbor.index], 1, Integer::sum));
    int most = votes.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    return ordered.stream()
        .map(neighbor -> labels[neighbor.index])
        .filter(label -> votes.get(label) == most)
        .findFirst()
        .orElseThrow();
  }
}
