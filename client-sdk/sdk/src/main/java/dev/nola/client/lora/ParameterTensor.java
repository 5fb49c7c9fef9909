package dev.nola.client.lora;

import dev.nola.client.merge.TensorNames;
import dev.nola.client.safetensors.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A parameter of a module in the base model: one tensor, or, if the checkpoint has the experts
 * apart, the matrices of each expert of which the parameter consists.
 *
 * @param shape the parameter's shape
 * @param tensors the one tensor, or those of the experts
 * @param parts the names of an expert's matrices, from the first output to the last, by expert;
 *     empty if the parameter is one tensor
 */
record ParameterTensor(List<Long> shape, List<Tensor> tensors, List<List<String>> parts) {
  /** The matrices of one expert that transformers puts together, by parameter. */
  private static final Map<String, List<List<String>>> PARTS =
      Map.of(
          "gate_up_proj", List.of(List.of("gate_proj", "up_proj"), List.of("w1", "w3")),
          "down_proj", List.of(List.of("down_proj"), List.of("w2")));

  /**
   * Finds a parameter; null if the base model has none.
   *
   * @param wrong receives a sentence if several tensors could be meant
   */
  static @Nullable ParameterTensor find(
      NamedBase base, String module, String name, List<String> wrong) {
    TensorNames.Found whole = base.find(module + "." + name, wrong);
    if (whole != null) {
      return new ParameterTensor(whole.tensor().shape(), List.of(whole.tensor()), List.of());
    }
    for (List<String> parts : PARTS.getOrDefault(name, List.of())) {
      ParameterTensor apart = apart(base, module, parts, wrong);
      if (apart != null) {
        return apart;
      }
    }
    return null;
  }

  private static @Nullable ParameterTensor apart(
      NamedBase base, String module, List<String> names, List<String> wrong) {
    List<Tensor> tensors = new ArrayList<>();
    List<List<String>> parts = new ArrayList<>();
    while (true) {
      List<String> expert = new ArrayList<>();
      for (String name : names) {
        TensorNames.Found found =
            base.find("%s.%d.%s.weight".formatted(module, parts.size(), name), wrong);
        if (found != null) {
          tensors.add(found.tensor());
          expert.add(found.tensor().name());
        }
      }
      if (expert.size() < names.size()) {
        break;
      }
      parts.add(expert);
    }
    boolean areAlike =
        tensors.stream().allMatch(tensor -> tensor.shape().equals(tensors.getFirst().shape()));
    if (parts.isEmpty() || !areAlike || tensors.getFirst().shape().size() != 2) {
      return null;
    }
    List<Long> matrix = tensors.getFirst().shape();
    return new ParameterTensor(
        List.of((long) parts.size(), matrix.getFirst() * names.size(), matrix.getLast()),
        tensors,
        parts);
  }

  boolean isAdaptable() {
    return tensors.stream().allMatch(tensor -> tensor.adaptableType().isPresent());
  }

  /** Returns the name of the tensor, or of the first. */
  String name() {
    return tensors.getFirst().name();
  }

  @Override
  public String toString() {
    return name() + " " + shape;
  }
}
