package dev.nola.trainer.worker;

import dev.nola.api.name.BackendName;
import dev.nola.gpu.CudaBackend;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.torch.TorchKernel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;

/** The backends of this process, by their names in jobs and attestations. */
final class Backends implements AutoCloseable {
  static final String SCALAR = BackendName.SCALAR.label();

  private final Map<String, Backend> backends;

  private Backends(Map<String, Backend> backends) {
    this.backends = new ConcurrentSkipListMap<>(backends);
  }

  /**
   * Opens all that this process can run.
   *
   * @param threads number of threads of a PyTorch operation, or 0 for its default
   * @param log is told of a GPU that cannot be used
   */
  static Backends open(int threads, Consumer<String> log) {
    Backends backends = new Backends(Map.of()).with(SCALAR, Kernels.scalar());
    if (Kernels.canVectorize()) {
      backends = backends.with(BackendName.VECTOR.label(), Kernels.vector());
    }
    Tensors.useFastest(threads, log);
    backends = backends.with(BackendName.TORCH.label(), new TorchKernel());
    Optional<CudaBackend> cuda = CudaBackend.find(log);
    if (cuda.isPresent()) {
      backends.backends.put(BackendName.CUDA.label(), cuda.get());
    }
    return backends;
  }

  /** Returns these backends with another kernel under a name. */
  Backends with(String name, Kernel kernel) {
    Backends copy = new Backends(backends);
    copy.backends.put(name, Reconstructor.standard().withKernel(kernel));
    return copy;
  }

  List<String> names() {
    return List.copyOf(backends.keySet());
  }

  /**
   * Returns a backend.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  Backend get(String name) {
    Backend backend = backends.get(name);
    if (backend == null) {
      throw new IllegalArgumentException(
          "invalid backend: %s; must be one that this worker has: %s"
              .formatted(name, String.join(", ", names())));
    }
    return backend;
  }

  /** Removes a backend that has failed for good. */
  void remove(String name) {
    Backend removed = backends.remove(name);
    if (removed instanceof CudaBackend gpu) {
      gpu.close();
    }
  }

  @Override
  public void close() {
    names().forEach(this::remove);
  }
}
