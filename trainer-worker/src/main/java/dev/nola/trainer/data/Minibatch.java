package dev.nola.trainer.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;

/**
 * Examples of one kind as arrays. Texts are padded at their ends to the longest.
 *
 * @param batch input of the model
 * @param targets right token or class (i64), in the shape of the logits without their last
 *     dimension
 * @param weights weights of the targets (f32), in the same shape: 1 for one that counts, else 0
 * @param count number of targets that count
 */
public record Minibatch(Batch batch, NDArray targets, NDArray weights, long count) {
  /**
   * Puts examples together.
   *
   * @param manager manager that owns the arrays
   * @param examples examples of one kind, at least one
   * @return the arrays
   */
  public static Minibatch of(NDManager manager, List<? extends Example> examples) {
    return switch (examples.getFirst()) {
      case Example.Completion _ ->
          completions(manager, examples.stream().map(Example.Completion.class::cast).toList());
      case Example.Classified _ ->
          classified(manager, examples.stream().map(Example.Classified.class::cast).toList());
      case Example.Features _ ->
          features(manager, examples.stream().map(Example.Features.class::cast).toList());
    };
  }

  /**
   * Counts the targets of an example that count for the loss.
   *
   * @param example the example
   * @return number of tokens of a completion, or 1
   */
  public static long targetCount(Example example) {
    return example instanceof Example.Completion completion
        ? completion.tokens().length - completion.prompt()
        : 1;
  }

  private static Minibatch completions(NDManager manager, List<Example.Completion> examples) {
    int rows = examples.size();
    int tokens = examples.stream().mapToInt(example -> example.tokens().length - 1).max().orElse(0);
    long[] inputs = new long[rows * tokens];
    long[] targets = new long[rows * tokens];
    float[] mask = new float[rows * tokens];
    float[] weights = new float[rows * tokens];
    long count = 0;
    for (int row = 0; row < rows; row++) {
      int[] text = examples.get(row).tokens();
      for (int t = 0; t + 1 < text.length; t++) {
        int index = row * tokens + t;
        inputs[index] = text[t];
        targets[index] = text[t + 1]; // a token is what the one before it should predict
        mask[index] = 1;
        if (t + 1 >= examples.get(row).prompt()) {
          weights[index] = 1;
          count++;
        }
      }
    }
    Shape shape = new Shape(rows, tokens);
    return new Minibatch(
        new Batch(longs(manager, inputs, shape), floats(manager, mask, shape)),
        longs(manager, targets, shape),
        floats(manager, weights, shape),
        count);
  }

  private static Minibatch classified(NDManager manager, List<Example.Classified> examples) {
    int rows = examples.size();
    int tokens = examples.stream().mapToInt(example -> example.tokens().length).max().orElse(0);
    long[] inputs = new long[rows * tokens];
    float[] mask = new float[rows * tokens];
    long[] labels = new long[rows];
    for (int row = 0; row < rows; row++) {
      int[] text = examples.get(row).tokens();
      for (int t = 0; t < text.length; t++) {
        inputs[row * tokens + t] = text[t];
        mask[row * tokens + t] = 1;
      }
      labels[row] = examples.get(row).label();
    }
    Shape shape = new Shape(rows, tokens);
    Batch batch = new Batch(longs(manager, inputs, shape), floats(manager, mask, shape));
    return labelled(manager, batch, labels);
  }

  private static Minibatch features(NDManager manager, List<Example.Features> examples) {
    int rows = examples.size();
    int width = examples.getFirst().values().length;
    float[] inputs = new float[rows * width];
    long[] labels = new long[rows];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(examples.get(row).values(), 0, inputs, row * width, width);
      labels[row] = examples.get(row).label();
    }
    NDArray values = floats(manager, inputs, new Shape(rows, width));
    return labelled(manager, new Batch(values, values), labels);
  }

  private static Minibatch labelled(NDManager manager, Batch batch, long[] labels) {
    float[] ones = new float[labels.length];
    Arrays.fill(ones, 1);
    Shape shape = new Shape(labels.length);
    return new Minibatch(
        batch, longs(manager, labels, shape), floats(manager, ones, shape), labels.length);
  }

  private static NDArray longs(NDManager manager, long[] values, Shape shape) {
    return Tensors.create(manager, values, shape.getShape());
  }

  private static NDArray floats(NDManager manager, float[] values, Shape shape) {
    return Tensors.create(manager, values, shape.getShape());
  }
}
