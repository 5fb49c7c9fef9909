package dev.nola.trainer.worker;

import dev.nola.api.name.Backend;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.torch.TorchKernel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kernels of this process, by the names of their backends in jobs and attestations. */
final class Backends {
  static final String SCALAR = Backend.SCALAR.label();

  private final Map<String, Kernel> kernels;

  private Backends(Map<String, Kernel> kernels) {
    this.kernels = Map.copyOf(kernels);
  }

  /**
   * Returns all that this process can run.
   *
   * @param threads number of threads of a PyTorch operation, or 0 for its default
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

  /** Returns these backends with another kernel under a name. */
  Backends with(String name, Kernel kernel) {
    Map<String, Kernel> replaced = new LinkedHashMap<>(kernels);
    replaced.put(name, kernel);
    return new Backends(replaced);
  }

  List<String> names() {
    return kernels.keySet().stream().sorted().toList();
  }

  /**
   * Returns the kernel of a backend.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  Kernel get(String name) {
    Kernel kernel = kernels.get(name);
    if (kernel == null) {
      throw new IllegalArgumentException(
          "invalid backend: %s; must be one that this worker has: %s"
              .formatted(name, String.join(", ", names())));
    }
    return kernel;
  }
}
