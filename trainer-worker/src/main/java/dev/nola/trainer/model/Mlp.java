package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;

/** Linear layers with ReLU between them: {@code layers.0}, {@code layers.1} … */
public final class Mlp implements Network {
  private final List<Integer> widths;

  /**
   * Creates a network.
   *
   * @param widths widths of the input, of every hidden layer and of the output
   * @throws IllegalArgumentException if there are not at least two, all positive
   */
  public Mlp(List<Integer> widths) {
    if (widths.size() < 2 || widths.stream().anyMatch(width -> width < 1)) {
      throw new IllegalArgumentException(
          "invalid widths: " + widths + "; must be two or more, all of them positive");
    }
    this.widths = List.copyOf(widths);
  }

  /**
   * Returns the widths.
   *
   * @return widths of the input, of every hidden layer and of the output
   */
  public List<Integer> widths() {
    return widths;
  }

  /**
   * Names a layer's module.
   *
   * @param layer number of the layer, from 0
   * @return such as {@code layers.0}
   */
  public static String module(int layer) {
    return "layers." + layer;
  }

  @Override
  public NDArray logits(Input input, Weights weights) {
    NDArray x = input.numbers();
    for (int i = 0; i < widths.size() - 1; i++) {
      x = weights.linear(i == 0 ? x : Tensors.relu(x), module(i));
    }
    return x;
  }

  @Override
  public Input.Kind reads() {
    return Input.Kind.FEATURES;
  }

  @Override
  public List<FreshTensor> fresh(int classes) {
    List<FreshTensor> all = new ArrayList<>();
    for (int i = 0; i < widths.size() - 1; i++) {
      int outputs = widths.get(i + 1);
      all.add(
          new FreshTensor(
              module(i) + ".weight", List.of(outputs, widths.get(i)), FreshTensor.Role.WEIGHT));
      all.add(new FreshTensor(module(i) + ".bias", List.of(outputs), FreshTensor.Role.BIAS));
    }
    return all;
  }

  @Override
  public List<Adaptable> adaptable() {
    List<Adaptable> all = new ArrayList<>();
    for (int i = 0; i < widths.size() - 1; i++) {
      all.add(Adaptable.whole(module(i) + ".weight"));
    }
    return all;
  }
}
