package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.OnnxFile.Attribute;
import dev.nola.trainer.onnx.OnnxFile.Node;
import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The graph of an ONNX file: finds the operation that makes a value, and those that use it. */
final class Graph {
  /** Largest number of dimensions of a shape that is read; attention has four. */
  private static final int MAX_RANK = 8;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final List<Node> nodes;
  private final SequencedMap<String, Tensor> initializers;
  private final Map<String, Node> makers = new HashMap<>();
  private final Map<String, List<Node>> users = new HashMap<>();

  Graph(OnnxFile file) {
    nodes = file.nodes();
    initializers = new LinkedHashMap<>(file.initializers());
    for (Node node : nodes) {
      node.outputs().forEach(output -> makers.put(output, node));
      node.inputs()
          .forEach(input -> users.computeIfAbsent(input, _ -> new ArrayList<>()).add(node));
      // Exporters store equal weights once, and name the others by Identity.
      if (node.type().equals("Identity") && node.inputs().size() == 1) {
        Tensor tensor = initializers.get(node.inputs().getFirst());
        if (tensor != null) {
          node.outputs().forEach(output -> initializers.putIfAbsent(output, tensor));
        }
      }
    }
  }

  /** Returns the operations of a type. */
  Stream<Node> nodes(String type) {
    return nodes.stream().filter(node -> node.type().equals(type));
  }

  /** Returns constants by all their names. */
  SequencedMap<String, Tensor> initializers() {
    return initializers;
  }

  @Nullable Tensor initializer(String value) {
    return initializers.get(value);
  }

  /** Returns the operation that makes a value, if it is of a type. */
  Optional<Node> maker(String value, String type) {
    return Optional.ofNullable(makers.get(value)).filter(node -> node.type().equals(type));
  }

  /** Returns the operations of a type that use a value. */
  Stream<Node> users(String value, String type) {
    return users.getOrDefault(value, List.of()).stream().filter(node -> node.type().equals(type));
  }

  /** Returns the elements of a constant of integers, such as a shape; empty for any other value. */
  List<Long> integers(String value) {
    Tensor tensor = constant(value);
    if (tensor == null || !tensor.type().equals(Tensor.INT64)) {
      return List.of();
    }
    long bytes = tensor.data().byteSize();
    return bytes == 0 || bytes > MAX_RANK * LONG.byteSize() || bytes % LONG.byteSize() != 0
        ? tensor.integers()
        : tensor.data().elements(LONG).map(element -> element.get(LONG, 0)).toList();
  }

  /** Returns a constant of one f32, as the double with its shortest decimal form. */
  OptionalDouble number(String value) {
    Tensor tensor = constant(value);
    return tensor == null
            || !tensor.type().equals(Tensor.FLOAT)
            || tensor.data().byteSize() != FLOAT.byteSize()
        ? OptionalDouble.empty()
        : OptionalDouble.of(decimal(tensor.data().get(FLOAT, 0)));
  }

  /** Returns the double with the shortest decimal form of an f32, such as 1e-12. */
  static double decimal(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  private @Nullable Tensor constant(String value) {
    Node maker = makers.get(value);
    if (maker == null || !maker.type().equals("Constant")) {
      return initializers.get(value);
    }
    Attribute attribute = maker.attributes().get("value");
    return attribute == null ? null : attribute.tensor();
  }

  /** Returns ε of a value that is (x − mean) / √(variance + ε); empty for any other value. */
  OptionalDouble epsilonOf(String normalized) {
    return maker(normalized, "Div")
        .filter(division -> division.inputs().size() == 2)
        .flatMap(division -> maker(division.inputs().get(1), "Sqrt"))
        .filter(root -> root.inputs().size() == 1)
        .flatMap(root -> maker(root.inputs().getFirst(), "Add"))
        .map(sum -> sum.inputs().stream().map(this::number).flatMapToDouble(OptionalDouble::stream))
        .flatMap(numbers -> numbers.boxed().findFirst())
        .map(OptionalDouble::of)
        .orElse(OptionalDouble.empty());
  }
}
