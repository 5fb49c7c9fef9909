package dev.nola.trainer.worker;

import dev.nola.api.name.Backend;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.torch.TorchKernel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What reconstructs, by the names that jobs and attestations have for it. */
final class Backends {
  static final String SCALAR = Backend.SCALAR.label();

  private final Map<String, Kernel> kernels;

  private Backends(Map<String, Kernel> kernels) {
    this.kernels = Map.copyOf(kernels);
  }

  /**
   * All that this process can run.
   *
   * @param threads of PyTorch for one operation
   */
  static Backends here(int threads) {
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    kernels.put(SCALAR, Kernels.scalar());
    if (Kernels.canVectorize()) {
      kernels.put(Backend.VECTOR.label(), Kernels.vector());
    }
    Tensors.use("AUTO", threads);
    kernels.put(Backend.TORCH.label(), new TorchKernel());
    return new Backends(kernels);
  }

  /** The same with another kernel under a name. */
  Backends with(String name, Kernel kernel) {
    Map<String, Kernel> others = new LinkedHashMap<>(kernels);
    others.put(name, kernel);
    return new Backends(others);
  }

  List<String> names() {
    return kernels.keySet().stream().sorted().toList();
  }

  /**
   * @throws IllegalArgumentException if there is none of that name
   */
  Kernel get(String name) {
    Kernel kernel = kernels.get(name);
    if (kernel == null) {
      throw new IllegalArgumentException(
          "backend=%s, must be one that this worker has: %s"
              .formatted(name, String.join(", ", names())));
    }
    return kernel;
  }
}
