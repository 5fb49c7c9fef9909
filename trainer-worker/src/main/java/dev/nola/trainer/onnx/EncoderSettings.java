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
  /** The size of a dimension of a reshape that takes the elements left. */
  private static final long REST = -1;

  private final OnnxFile file;
  private final Graph graph;

  EncoderSettings(OnnxFile file, Graph graph) {
    this.file = file;
    this.graph = graph;
  }

  /**
   * Returns the number of attention heads.
   *
   * @param config the sizes
   * @param given the user's number, or null
   * @param outputs outputs of linear modules, by module
   */
  int heads(EncoderConfig config, @Nullable Integer given, Map<String, String> outputs)
      throws InvalidOnnxException {
    Set<Integer> found = new TreeSet<>();
    for (int i = 0; i < config.layers(); i++) {
      String query = "encoder.layer." + i + ".attention.self.query";
      graph
          .users(outputs.getOrDefault(query, ""), "Reshape")
          .forEach(reshape -> headsOf(reshape, config.hidden()).ifPresent(found::add));
    }
    return decided("attention heads", found, given);
  }

  /**
   * Reads the heads from a reshape to batch×tokens×heads×size, of which one may be left to the
   * rest.
   */
  private OptionalInt headsOf(Node reshape, int hidden) {
    String shape = reshape.inputs().size() < 2 ? "" : reshape.inputs().get(1);
    List<Long> sizes = graph.integers(shape);
    if (sizes.isEmpty()) {
      List<String> parts = graph.maker(shape, "Concat").map(Node::inputs).orElse(List.of());
      sizes = parts.size() == 4 ? List.of(0L, 0L, part(parts, 2), part(parts, 3)) : List.of();
    }
    if (sizes.size() != 4) {
      return OptionalInt.empty();
    }
    long heads = sizes.get(2);
    long size = sizes.get(3);
    if (heads == REST && size > 0 && hidden % size == 0) {
      heads = hidden / size;
    }
    return heads > 0 && heads <= Integer.MAX_VALUE
        ? OptionalInt.of((int) heads)
        : OptionalInt.empty();
  }

  /** Returns a constant of one integer; 0 for any other value. */
  private long part(List<String> parts, int index) {
    List<Long> value = graph.integers(parts.get(index));
    return value.size() == 1 ? value.getFirst() : 0;
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
