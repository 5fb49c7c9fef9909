package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.OnnxFile.Node;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the numbers of a BERT encoder that are not sizes of weights: a graph has them as constants
 * of its operations.
 */
final class EncoderSettings {
  private final OnnxFile file;
  private final Graph graph;

  EncoderSettings(OnnxFile file, Graph graph) {
    this.file = file;
    this.graph = graph;
  }

  /**
   * Returns the number of attention heads.
   *
   * @param layers number of blocks
   * @param given the user's number, or null
   * @param outputs outputs of linear modules, by module
   */
  int heads(int layers, @Nullable Integer given, Map<String, String> outputs)
      throws InvalidOnnxException {
    Set<Integer> found = new TreeSet<>();
    for (int i = 0; i < layers; i++) {
      String query = "encoder.layer." + i + ".attention.self.query";
      graph
          .users(outputs.getOrDefault(query, ""), "Reshape")
          .forEach(reshape -> headsOf(reshape).ifPresent(found::add));
    }
    return decided("attention heads", found, given);
  }

  /** Reads the heads from a reshape to batch×tokens×heads×dimensions. */
  private OptionalInt headsOf(Node reshape) {
    String shape = reshape.inputs().size() < 2 ? "" : reshape.inputs().get(1);
    List<Long> sizes = graph.integers(shape);
    if (sizes.isEmpty()) {
      List<String> parts =
          graph
              .maker(shape, "Concat")
              .map(Node::inputs)
              .filter(p -> p.size() == 4)
              .orElse(List.of());
      sizes = parts.size() == 4 ? graph.integers(parts.get(2)) : List.of();
    } else if (sizes.size() == 4) {
      sizes = sizes.subList(2, 3);
    }
    return sizes.size() == 1 && sizes.getFirst() > 0 && sizes.getFirst() <= Integer.MAX_VALUE
        ? OptionalInt.of(sizes.getFirst().intValue())
        : OptionalInt.empty();
  }

  /**
   * Returns ε of the norms.
   *
   * @param layers number of blocks
   * @param given the user's number, or null
   * @param prefix of all names
   */
  double epsilon(int layers, @Nullable Double given, String prefix) throws InvalidOnnxException {
    Set<Double> found = new TreeSet<>();
    for (String norm : EncoderLayout.norms(layers)) {
      String weight = prefix + norm + EncoderLayout.WEIGHT;
      graph
          .users(weight, "LayerNormalization")
          .forEach(node -> found.add(Graph.decimal(node.number("epsilon", 1e-5f))));
      graph
          .users(weight, "Mul")
          .flatMap(node -> node.inputs().stream())
          .forEach(input -> graph.epsilonOf(input).ifPresent(found::add));
    }
    return decided("epsilons of norms", found, given);
  }

  /** Returns the one value that the graph has, or else the user's. */
  private <T> T decided(String quantity, Set<T> found, @Nullable T given)
      throws InvalidOnnxException {
    if (found.size() > 1) {
      throw file.invalid("has layers with different %s, %s", quantity, found);
    }
    if (found.isEmpty()) {
      if (given == null) {
        throw file.invalid("does not specify the %s; pass --heads or --epsilon", quantity);
      }
      return given;
    }
    T unique = found.iterator().next();
    if (given != null && !given.equals(unique)) {
      throw new IllegalArgumentException(
          "%s given as %s, but %s says %s".formatted(quantity, given, file.path(), unique));
    }
    return unique;
  }
}
