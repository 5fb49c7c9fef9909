package dev.nola.trainer.model;

import static java.util.stream.Collectors.toSet;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
   * Finds the network whose weights an adapter has.
   *
   * @param shapes shapes of the adapter's tensors by name, such as {@code layers.0.weight}
   * @return the network; empty if the tensors are not those of layers that follow each other
   */
  public static Optional<Mlp> ofShapes(Map<String, List<Integer>> shapes) {
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; shapes.get(module(i) + ".weight") instanceof List<Integer> shape; i++) {
      boolean follows = widths.isEmpty() || shape.getLast().equals(widths.getLast());
      if (shape.size() != 2 || !follows) {
        return Optional.empty();
      }
      if (widths.isEmpty()) {
        widths.add(shape.getLast());
      }
      widths.add(shape.getFirst());
    }
    if (widths.isEmpty()) {
      return Optional.empty();
    }
    Mlp network = new Mlp(widths);
    Set<String> tensors =
        network.fresh(widths.getLast()).stream().map(FreshTensor::name).collect(toSet());
    return shapes.keySet().equals(tensors) ? Optional.of(network) : Optional.empty();
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
