package dev.nola.api.name;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The name of an implementation that reconstructs adapters. All compute the same bits. */
public enum BackendName {
  /** One element at a time, as in the format's specification. */
  SCALAR("scalar"),
  /** The processor's vector instructions. */
  VECTOR("vector"),
  /** PyTorch, on a processor or a GPU. */
  TORCH("torch"),
  /** An NVIDIA GPU, through its driver alone. */
  CUDA("cuda");

  /** The names of all backends, from the simplest on. */
  public static final List<String> LABELS =
      Arrays.stream(values()).map(backend -> backend.label).toList();

  private final String label;

  BackendName(String label) {
    this.label = label;
  }

  /**
   * Returns the name that requests and attestations use.
   *
   * @return such as {@code scalar}
   */
  public String label() {
    return label;
  }

  /**
   * Finds the backend of a name.
   *
   * @param label any text
   * @return the backend, or nothing if none has this name
   */
  public static Optional<BackendName> find(String label) {
    return Arrays.stream(values()).filter(backend -> backend.label.equals(label)).findFirst();
  }
}
