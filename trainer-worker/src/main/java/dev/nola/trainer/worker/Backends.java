package dev.nola.trainer.worker;

import dev.nola.api.name.BackendName;
import dev.nola.gpu.CudaBackend;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.torch.TorchKernel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

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
   * @param log receives why a GPU cannot be used
   */
  static Backends open(int threads, Consumer<String> log) {
    return open(_ -> true, threads, log);
  }

  /**
   * Opens one backend, and the scalar one, which finds where its results differ. Neither PyTorch
   * nor a GPU is touched for another backend.
   *
   * @param name name of the backend
   * @param log receives why a GPU cannot be used
   */
  static Backends openOne(String name, Consumer<String> log) {
    return open(name::equals, 0, log);
  }

  private static Backends open(Predicate<String> isNeeded, int threads, Consumer<String> log) {
    Map<String, Backend> backends = new HashMap<>();
    backends.put(SCALAR, ofKernel(Kernels.scalar()));
    if (isNeeded.test(BackendName.VECTOR.label()) && Kernels.canVectorize()) {
      backends.put(BackendName.VECTOR.label(), ofKernel(Kernels.vector()));
    }
    if (isNeeded.test(BackendName.TORCH.label())) {
      Tensors.useFastest(threads, log);
      backends.put(BackendName.TORCH.label(), ofKernel(new TorchKernel()));
    }
    if (isNeeded.test(CudaBackend.NAME)) {
      CudaBackend.find(log).ifPresent(cuda -> backends.put(CudaBackend.NAME, cuda));
    }
    return new Backends(backends);
  }

  private static Backend ofKernel(Kernel kernel) {
    return Reconstructor.standard().withKernel(kernel);
  }

  /** Returns these backends with another kernel under a name. */
  Backends with(String name, Kernel kernel) {
    Backends copy = new Backends(backends);
    copy.backends.put(name, ofKernel(kernel));
    return copy;
  }

  List<String> names() {
    return List.copyOf(backends.keySet());
  }

  /**
   * Returns a backend.
   *
   * @throws IllegalArgumentException if the name is unknown
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
    Backend backend = backends.remove(name);
    if (backend instanceof CudaBackend gpu) {
      gpu.close();
    }
  }

  @Override
  public void close() {
    names().forEach(this::remove);
  }
}
