package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The function between two linear layers, by its names in {@code config.json}. */
enum Activation {
  /** x·Φ(x), by the error function. */
  GELU(Tensors::gelu, "gelu"),
  /** x·Φ(x), approximated by tanh. */
  GELU_TANH(Tensors::geluTanh, "gelu_new", "gelu_pytorch_tanh"),
  /** max(x, 0). */
  RELU(Tensors::relu, "relu"),
  /** x·σ(x). */
  SILU(Tensors::silu, "silu", "swish");

  private final UnaryOperator<NDArray> function;
  private final List<String> names;

  Activation(UnaryOperator<NDArray> function, String... names) {
    this.function = function;
    this.names = List.of(names);
  }

  NDArray apply(NDArray x) {
    return function.apply(x);
  }

  List<String> names() {
    return names;
  }

  static Optional<Activation> of(String name) {
    for (Activation activation : values()) {
      if (activation.names.contains(name)) {
        return Optional.of(activation);
      }
    }
    return Optional.empty();
  }
}
