package dev.nola.trainer.onnx;

import dev.nola.trainer.onnx.Encoder.Weight;
import dev.nola.trainer.onnx.OnnxFile.Node;
import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the weights and sizes of a BERT encoder in an ONNX graph. */
final class EncoderSearch {
  private static final String WEIGHT = EncoderLayout.WEIGHT;
  private static final String BIAS = EncoderLayout.BIAS;
  private static final String WORDS = EncoderLayout.WORDS;
  private static final String INTERMEDIATE = "encoder.layer.0.intermediate.dense.weight";
  private static final Pattern LAYER = Pattern.compile("encoder\\.layer\\.(\\d{1,4})\\..*");

  /** Types of initializers that are not weights: shapes, indices and switches. */
  private static final Set<String> OTHER_TYPES = Set.of(Tensor.INT64, "INT32", "BOOL");

  private static final Set<String> FUSED =
      Set.of(
          "EmbedLayerNormalization",
          "SkipLayerNormalization",
          "BiasGelu",
          "FastGelu",
          "FusedMatMul",
          "FusedGemm",
          "MultiHeadAttention");

  private static final Set<String> QUANTIZED =
      Set.of(
          "DynamicQuantizeLinear",
          "DequantizeLinear",
          "DynamicQuantizeMatMul",
          "MatMulInteger",
          "MatMulNBits",
          "QLinearMatMul",
          "QAttention");

  private final OnnxFile file;
  private final Graph graph;
  private final SortedMap<String, Weight> weights = new TreeMap<>();

  /** The outputs of linear modules, by module. */
  private final Map<String, String> outputs = new HashMap<>();

  /** Names of the matrices of products. */
  private final Set<String> matrices = new HashSet<>();

  /** Prefix of all names, such as {@code bert.}. */
  private String prefix = "";

  EncoderSearch(OnnxFile file) {
    this.file = file;
    this.graph = new Graph(file);
  }

  /**
   * Finds the weights by their names, and those of linear modules by the module that the exporter
   * noted, or else by the names of the biases that are added to their products.
   *
   * @param heads number of attention heads, or null to read it from the graph
   * @param epsilon ε of the norms, or null to read it from the graph
   * @return weights and sizes
   * @throws InvalidOnnxException if the graph is not a BERT encoder in f32
   */
  Encoder encoder(@Nullable Integer heads, @Nullable Double epsilon) throws InvalidOnnxException {
    requirePlainOperators();
    findPrefix();
    requireFloats();
    for (Node node : graph.nodes("MatMul").toList()) {
      findLinear(node);
    }
    for (Node node : graph.nodes("Gemm").toList()) {
      findAffine(node);
    }
    graph.nodes("LayerNormalization").forEach(this::findNorm);
    findNamed();
    EncoderSettings settings = new EncoderSettings(file, graph);
    EncoderConfig config = sizes();
    requireExactly(config);
    requireForward(config);
    config =
        config.with(
            settings.heads(config, heads, outputs),
            settings.epsilon(config.layers(), epsilon, prefix));
    if (config.hidden() % config.heads() != 0) {
      throw file.invalid(
          "hidden size %d; must be a multiple of the number of heads, %d",
          config.hidden(), config.heads());
    }
    Set<Tensor> tensors = weights.values().stream().map(Weight::tensor).collect(Collectors.toSet());
    List<String> skipped =
        file.initializers().values().stream()
            .filter(tensor -> !tensors.contains(tensor) && !tensor.shape().isEmpty())
            .map(Tensor::name)
            .toList();
    return new Encoder(config, weights, skipped);
  }

  /** Refuses files that were optimized or quantized: their weights are merged or are codes. */
  private void requirePlainOperators() throws InvalidOnnxException {
    for (Node node : file.nodes()) {
      if (FUSED.contains(node.type())) {
        throw file.invalid(
            "has an operator %s, which optimizers make of several; import the file before it was"
                + " optimized",
            node.type());
      }
      if (QUANTIZED.contains(node.type())) {
        throw file.invalid(
            "is quantized: it has an operator %s; import the file before it was quantized",
            node.type());
      }
    }
  }

  private void findPrefix() throws InvalidOnnxException {
    List<String> found =
        graph.initializers().keySet().stream()
            .filter(name -> name.equals(WORDS) || name.endsWith("." + WORDS))
            .toList();
    if (found.size() != 1) {
      throw file.invalid(
          "has %d initializers named %s, a BERT encoder has one", found.size(), WORDS);
    }
    prefix = found.getFirst().substring(0, found.getFirst().length() - WORDS.length());
  }

  private void requireFloats() throws InvalidOnnxException {
    for (Tensor tensor : file.initializers().values()) {
      boolean weight = tensor.name().endsWith(WEIGHT) || tensor.name().endsWith(BIAS);
      if (!tensor.type().equals(Tensor.FLOAT)
          && (weight || !tensor.shape().isEmpty() && !OTHER_TYPES.contains(tensor.type()))) {
        throw file.invalid(
            "initializer %s has type %s; must be FLOAT (f32)", tensor.name(), tensor.type());
      }
    }
  }

  /** Finds a product with a constant matrix, in×out. */
  private void findLinear(Node node) throws InvalidOnnxException {
    Tensor matrix = matrixOf(node);
    if (matrix == null) {
      return; // a product of two activations
    }
    String product = node.outputs().isEmpty() ? "" : node.outputs().getFirst();
    Map<String, Node> biases = new LinkedHashMap<>();
    for (Node sum : graph.users(product, "Add").toList()) {
      sum.inputs().stream()
          .filter(input -> isBias(node, input))
          .forEach(bias -> biases.put(bias, sum));
    }
    if (biases.size() != 1) {
      throw unnamed(node, "followed by the Add of one bias");
    }
    Map.Entry<String, Node> bias = biases.entrySet().iterator().next();
    put(node, bias.getKey(), bias.getValue(), new Weight(matrix, true));
  }

  /** Finds a product together with its bias. */
  private void findAffine(Node node) throws InvalidOnnxException {
    Tensor matrix = matrixOf(node);
    if (matrix == null) {
      return;
    }
    if (node.inputs().size() != 3 || !isBias(node, node.inputs().get(2))) {
      throw unnamed(node, "given a bias");
    }
    if (node.number("alpha", 1) != 1 || node.number("beta", 1) != 1 || node.isSet("transA")) {
      throw file.invalid(
          "Gemm of initializer %s scales or transposes; must be a plain linear module",
          node.inputs().get(1));
    }
    put(node, node.inputs().get(2), node, new Weight(matrix, !node.isSet("transB")));
  }

  /** Finds the weights of a norm whose module is known, whatever they are named. */
  private void findNorm(Node node) {
    if (node.module().isEmpty() || node.inputs().size() != 3) {
      return;
    }
    for (int i = 1; i <= 2; i++) {
      Tensor tensor = graph.initializer(node.inputs().get(i));
      if (tensor != null) {
        weights.put(plain(node.module()) + (i == 1 ? WEIGHT : BIAS), new Weight(tensor, false));
      }
    }
  }

  private @Nullable Tensor matrixOf(Node node) throws InvalidOnnxException {
    Tensor matrix = node.inputs().size() < 2 ? null : graph.initializer(node.inputs().get(1));
    if (matrix != null && matrix.shape().size() != 2) {
      throw file.invalid(
          "%s of initializer %s, which has shape %s; must be a matrix",
          node.type(), node.inputs().get(1), matrix.shape());
    }
    return matrix;
  }

  private InvalidOnnxException unnamed(Node node, String rule) {
    return file.invalid(
        "%s of initializer %s; must be %s named …%s, from which the weight gets its name",
        node.type(), node.inputs().get(1), rule, BIAS);
  }

  /**
   * Tells whether a value can be the bias of a product. Exporters store equal tensors once, so that
   * a bias may have the name of another: then only the product's module tells whose it is.
   */
  private boolean isBias(Node product, String value) {
    Tensor tensor = graph.initializer(value);
    return tensor != null
        && tensor.shape().size() == 1
        && (value.endsWith(BIAS) || !product.module().isEmpty());
  }

  private void put(Node product, String bias, Node sum, Weight weight) throws InvalidOnnxException {
    String module =
        plain(
            product.module().isEmpty()
                ? bias.substring(0, bias.length() - BIAS.length())
                : product.module());
    matrices.add(product.inputs().get(1));
    outputs.put(module, sum.outputs().isEmpty() ? "" : sum.outputs().getFirst());
    Tensor added = graph.initializer(bias);
    if (added != null) {
      weights.put(module + BIAS, new Weight(added, false));
    }
    Weight other = weights.put(module + WEIGHT, weight);
    if (other != null && !other.equals(weight)) {
      throw file.invalid(
          "bias %s is added to products of two initializers, %s and %s; export the model without"
              + " merging equal biases",
          bias, other.tensor().name(), weight.tensor().name());
    }
  }

  private void findNamed() {
    graph
        .initializers()
        .forEach(
            (name, tensor) -> {
              if ((name.endsWith(WEIGHT) || name.endsWith(BIAS)) && !matrices.contains(name)) {
                weights.putIfAbsent(plain(name), new Weight(tensor, false));
              }
            });
  }

  private String plain(String name) {
    return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
  }

  /** Reads the sizes from the weights; heads and epsilon are still 0. */
  private EncoderConfig sizes() throws InvalidOnnxException {
    int layers = 0;
    for (String name : weights.keySet()) {
      Matcher layer = LAYER.matcher(name);
      if (layer.matches()) {
        layers = Math.max(layers, Integer.parseInt(layer.group(1)) + 1);
      }
    }
    if (layers == 0) {
      throw file.invalid("has no weights named encoder.layer.…, which a BERT encoder needs");
    }
    return new EncoderConfig(
        size(WORDS, 0),
        size(WORDS, 1),
        layers,
        0,
        size(INTERMEDIATE, 0),
        size("embeddings.position_embeddings.weight", 0),
        size("embeddings.token_type_embeddings.weight", 0),
        0);
  }

  private int size(String name, int dimension) throws InvalidOnnxException {
    Weight weight = weights.get(name);
    if (weight == null) {
      throw file.invalid("has no weight %s, which a BERT encoder needs", name);
    }
    List<Long> shape = weight.shape();
    long size = shape.size() == 2 ? shape.get(dimension) : 0;
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw file.invalid("weight %s has shape %s; must be a matrix", name, shape);
    }
    return (int) size;
  }

  /** Refuses weights of another shape or purpose, as the model would silently be another one. */
  private void requireExactly(EncoderConfig config) throws InvalidOnnxException {
    Map<String, List<Long>> expected = EncoderLayout.expected(config);
    for (Map.Entry<String, List<Long>> entry : expected.entrySet()) {
      Weight weight = weights.get(entry.getKey());
      if (weight == null) {
        throw file.invalid("has no weight %s, which a BERT encoder needs", entry.getKey());
      }
      if (!weight.shape().equals(entry.getValue())) {
        throw file.invalid(
            "weight %s has shape %s; must have %s",
            entry.getKey(), weight.shape(), entry.getValue());
      }
    }
    for (String name : weights.keySet()) {
      if ((name.startsWith("encoder.") || name.startsWith("embeddings."))
          && !expected.containsKey(name)) {
        throw file.invalid("has a weight %s, which is not part of a BERT encoder", name);
      }
    }
    for (Map.Entry<String, Weight> entry : weights.entrySet()) {
      requireData(entry.getValue().tensor());
    }
  }

  private void requireData(Tensor tensor) throws InvalidOnnxException {
    long bytes = Float.BYTES;
    for (long size : tensor.shape()) {
      // Sizes that exceed a file of 2 GiB must not overflow to a product that fits.
      bytes =
          size < 0 || bytes < 0 || bytes > Integer.MAX_VALUE
              ? -1
              : bytes * Math.min(size, 1L << 31);
    }
    if (bytes != tensor.data().byteSize()) {
      throw file.invalid(
          "initializer %s has shape %s and %,d bytes; must have four for each element",
          tensor.name(), tensor.shape(), tensor.data().byteSize());
    }
  }

  /** Refuses models that have BERT's weights and compute something else. */
  private void requireForward(EncoderConfig config) throws InvalidOnnxException {
    if (graph.nodes("CumSum").findAny().isPresent()) {
      throw file.invalid("counts positions with CumSum, as RoBERTa does; must be a BERT encoder");
    }
    long activations =
        Stream.concat(
                graph.nodes("Erf"),
                graph
                    .nodes("Gelu")
                    .filter(gelu -> !gelu.attribute("approximate").text().equals("tanh")))
            .count();
    if (activations < config.layers()) {
      throw file.invalid(
          "has %d layers and %d GELUs by the error function; must have one in each",
          config.layers(), activations);
    }
  }
}
