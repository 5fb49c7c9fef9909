package dev.nola.trainer.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.nola.trainer.image.Raster;
import dev.nola.trainer.model.Batch;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * Examples of one kind as arrays. Texts are padded at their ends to the longest.
 *
 * @param batch input of the model
 * @param targets right token or class (i64) of each row of the logits: those of the batch's
 *     positions for texts to be continued
 */
public record Minibatch(Input batch, NDArray targets) {
  /**
   * Returns the number of targets.
   *
   * @return at least 1
   */
  public long count() {
    return targets.size();
  }

  /**
   * Puts examples together.
   *
   * @param manager manager that owns the arrays
   * @param examples examples of one kind, at least one
   * @return the arrays
   * @throws IOException if the file of an image cannot be read or decoded
   * @throws IllegalArgumentException if images have different sizes
   */
  public static Minibatch of(NDManager manager, List<? extends Example> examples)
      throws IOException {
    return switch (examples.getFirst()) {
      case Example.Completion _ ->
          completions(manager, examples.stream().map(Example.Completion.class::cast).toList());
      case Example.Classified _ ->
          classified(manager, examples.stream().map(Example.Classified.class::cast).toList());
      case Example.Features _ ->
          features(manager, examples.stream().map(Example.Features.class::cast).toList());
      case Example.Picture _ ->
          pictures(manager, examples.stream().map(Example.Picture.class::cast).toList());
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

  /**
   * Puts texts to be continued together.
   *
   * @param manager manager that owns the arrays
   * @param examples the texts, at least one
   * @return the arrays
   */
  public static Minibatch completions(NDManager manager, List<Example.Completion> examples) {
    int rows = examples.size();
    int tokens = examples.stream().mapToInt(example -> example.tokens().length - 1).max().orElse(0);
    long[] inputs = new long[rows * tokens];
    int count = Math.toIntExact(examples.stream().mapToLong(Minibatch::targetCount).sum());
    long[] targets = new long[count];
    long[] positions = new long[count];
    float[] mask = new float[rows * tokens];
    int targetIndex = 0;
    for (int row = 0; row < rows; row++) {
      int[] text = examples.get(row).tokens();
      for (int t = 0; t + 1 < text.length; t++) {
        int index = row * tokens + t;
        inputs[index] = text[t];
        mask[index] = 1;
        if (t + 1 >= examples.get(row).prompt()) {
          positions[targetIndex] = index;
          targets[targetIndex++] = text[t + 1]; // what the token before it should predict
        }
      }
    }
    Shape shape = new Shape(rows, tokens);
    return new Minibatch(
        new Batch(
            longs(manager, inputs, shape),
            floats(manager, mask, shape),
            longs(manager, positions, new Shape(count))),
        longs(manager, targets, new Shape(count)));
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
    return labelled(manager, new Input.Numbers(values), labels);
  }

  /** Decodes in parallel, as this takes longer than a small model. */
  private static Minibatch pictures(NDManager manager, List<Example.Picture> examples)
      throws IOException {
    List<Raster> images;
    try {
      images = examples.parallelStream().map(Example.Picture::raster).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Raster first = images.getFirst();
    float[] values = examples.getFirst().transform().numbers(images);
    Shape shape = new Shape(images.size(), Raster.CHANNELS, first.height(), first.width());
    long[] labels = examples.stream().mapToLong(Example.Picture::label).toArray();
    return labelled(manager, new Input.Numbers(floats(manager, values, shape)), labels);
  }

  private static Minibatch labelled(NDManager manager, Input input, long[] labels) {
    return new Minibatch(input, longs(manager, labels, new Shape(labels.length)));
  }

  private static NDArray longs(NDManager manager, long[] values, Shape shape) {
    return Tensors.create(manager, values, shape.getShape());
  }

  private static NDArray floats(NDManager manager, float[] values, Shape shape) {
    return Tensors.create(manager, values, shape.getShape());
  }
}
