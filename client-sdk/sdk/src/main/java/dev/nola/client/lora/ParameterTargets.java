package dev.nola.client.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tensors of pairs that adapt parameters ({@code target_parameters}), such as the weights
 * of all experts in one tensor of three dimensions.
 *
 * <p>The file does not say which parameter a pair is for: PEFT wraps a module once for each of its
 * parameters, in the order in which the module declares them, so that the outermost pair is that of
 * the parameter that is declared last.
 */
final class ParameterTargets {
  /** The order in which models of transformers declare the weights of experts. */
  private static final List<String> DECLARED = List.of("gate_up_proj", "down_proj");

  /** Parameters of one module, whose orders are tried. */
  private static final int MAX_PARAMETERS = 4;

  /** Models whose experts' weights PEFT takes as in×out. */
  private static final Set<String> TRANSPOSED_MODELS =
      Set.of("gpt_oss", "aria", "aria_text", "openai_privacy_filter");

  /**
   * The versions of PEFT that are known to take other models' as out×in; earlier ones took all as
   * in×out.
   */
  private static final Pattern VERSIONS_BY_MODEL =
      Pattern.compile("(0\\.(2[1-9]|[3-9]\\d)|[1-9])\\..*");

  private final LoraConfig config;
  private final @Nullable NamedBase base;
  private final List<String> wrong;

  /**
   * @param base null if it is not known
   * @param wrong receives a sentence for each pair whose tensor cannot be told
   */
  ParameterTargets(LoraConfig config, @Nullable NamedBase base, List<String> wrong) {
    this.config = config;
    this.base = base;
    this.wrong = wrong;
  }

  /**
   * Finds the tensors of a module's pairs.
   *
   * @param pairs from the outside to the inside
   * @param found receives them
   * @return false if the module is adapted as a module
   */
  boolean find(String module, List<LoraPair> pairs, Map<LoraPair, Target> found) {
    List<String> names = parameters(module);
    if (names.isEmpty()) {
      return false;
    }
    NamedBase known = base;
    if (known == null) {
      LoraPair pair = pairs.getFirst();
      if (names.equals(List.of("weight")) && pairs.size() == 1 && !pair.isConvolution()) {
        String tensor = module + ".weight";
        List<Integer> shape = pair.linearShape().stream().map(Math::toIntExact).toList();
        found.put(pair, new Target(tensor, tensor, shape, false));
        return true;
      }
      wrong.add(
          "%s: the shapes of its parameters %s are needed to tell whose factors are whose"
              .formatted(module, String.join(", ", names)));
      return true;
    }
    Map<String, ParameterTensor> tensors = new LinkedHashMap<>();
    for (String name : names) {
      ParameterTensor tensor = ParameterTensor.find(known, module, name, wrong);
      if (tensor != null) {
        tensors.put(name, tensor);
      }
    }
    if (tensors.size() != pairs.size()) {
      wrong.add(
          "%s: has %d pairs of factors, but the base model has %d of its parameters %s"
              .formatted(module, pairs.size(), tensors.size(), String.join(", ", names)));
      return true;
    }
    if (pairs.size() > MAX_PARAMETERS) {
      wrong.add(
          "%s: has LoRAs of %d parameters; limit is %d"
              .formatted(module, pairs.size(), MAX_PARAMETERS));
      return true;
    }
    List<List<String>> fitting =
        orders(List.copyOf(tensors.keySet())).stream()
            .filter(order -> fit(module, pairs, order, tensors))
            .toList();
    List<String> declared = DECLARED.stream().filter(tensors::containsKey).toList().reversed();
    List<String> order =
        fitting.size() == 1 ? fitting.getFirst() : fitting.contains(declared) ? declared : null;
    if (order == null) {
      wrong.add(
          "%s: its factors fit %s of the parameters %s"
              .formatted(
                  module, fitting.isEmpty() ? "no order" : "several orders", tensors.values()));
      return true;
    }
    for (int i = 0; i < order.size(); i++) {
      ParameterTensor tensor = Objects.requireNonNull(tensors.get(order.get(i)));
      put(module + "." + order.get(i), pairs.get(i), tensor, known, found);
    }
    return true;
  }

  /** Returns the names of a module's parameters that the config targets. */
  private List<String> parameters(String module) {
    List<String> names = new ArrayList<>();
    for (String target : config.texts("target_parameters")) {
      int dot = target.lastIndexOf('.');
      String parent = target.substring(0, Math.max(0, dot));
      String name = target.substring(dot + 1);
      boolean isOfModule =
          parent.isEmpty()
              ? base != null && ParameterTensor.find(base, module, name, wrong) != null
              : module.equals(parent) || module.endsWith("." + parent);
      if (isOfModule && !names.contains(name)) {
        names.add(name);
      }
    }
    return names;
  }

  private boolean fit(
      String module,
      List<LoraPair> pairs,
      List<String> order,
      Map<String, ParameterTensor> tensors) {
    for (int i = 0; i < pairs.size(); i++) {
      LoraPair pair = pairs.get(i);
      List<Long> shape = Objects.requireNonNull(tensors.get(order.get(i))).shape();
      long rank = config.rank(module + "." + order.get(i));
      long experts = shape.size() == 3 ? shape.getFirst() : 1;
      List<Long> matrix = shape.subList(shape.size() == 3 ? 1 : 0, shape.size());
      if (pair.isConvolution()
          || pair.rank() != rank * experts
          || !matrix.equals(pair.linearShape())
              && !(shape.size() == 3 && matrix.equals(pair.transposedShape()))) {
        return false;
      }
    }
    return true;
  }

  private void put(
      String key,
      LoraPair pair,
      ParameterTensor tensor,
      NamedBase known,
      Map<LoraPair, Target> found) {
    List<Integer> shape = tensor.shape().stream().map(Math::toIntExact).toList();
    if (!tensor.isAdaptable()) {
      wrong.add(
          "%s: the type of tensor %s is unsupported; must be F32, F16 or BF16, so name the base model before it was quantized"
              .formatted(pair.module(), tensor.name()));
    } else if (shape.size() == 2) {
      found.put(pair, new Target(key, tensor.name(), shape, false));
    } else {
      boolean isSquare = shape.get(1).equals(shape.get(2));
      if (isSquare && !isOrientationKnown(pair.module(), known)) {
        wrong.add(
            "%s: the matrices of tensor %s are square, and it is not known whether this version of PEFT takes those of this model as out×in or as in×out"
                .formatted(pair.module(), tensor.name()));
        return;
      }
      boolean isTransposed =
          isSquare ? isOfTransposedModel(pair.module(), known) : shape.get(1) == pair.inputs();
      if (isTransposed && !tensor.parts().isEmpty()) {
        wrong.add(
            "%s: its factors are in×out, but the base model has each expert's matrices apart, as out×in"
                .formatted(pair.module()));
        return;
      }
      found.put(
          pair,
          new Target(key, tensor.name(), shape, isTransposed, shape.getFirst(), tensor.parts()));
    }
  }

  private static boolean isOfTransposedModel(String module, NamedBase known) {
    String type = known.config().typeOf(module);
    return type != null && TRANSPOSED_MODELS.contains(type);
  }

  private boolean isOrientationKnown(String module, NamedBase known) {
    String version = config.text("peft_version");
    return isOfTransposedModel(module, known)
        || known.config().typeOf(module) != null
            && version != null
            && VERSIONS_BY_MODEL.matcher(version).matches();
  }

  private static List<List<String>> orders(List<String> names) {
    if (names.size() <= 1) {
      return List.of(names);
    }
    List<List<String>> orders = new ArrayList<>();
    for (String first : names) {
      List<String> rest = new ArrayList<>(names);
      rest.remove(first);
      for (List<String> order : orders(rest)) {
        List<String> whole = new ArrayList<>(List.of(first));
        whole.addAll(order);
        orders.add(whole);
      }
    }
    return orders;
  }
}
