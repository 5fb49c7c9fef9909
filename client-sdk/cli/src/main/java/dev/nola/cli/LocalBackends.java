package dev.nola.cli;

import dev.nola.client.lock.CrossCheck;
import dev.nola.command.Output;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaException;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Backends of this machine, opened for a command.
 *
 * @param all at least one
 */
record LocalBackends(List<Backend> all) implements AutoCloseable {
  private static final List<String> NAMES = List.of("scalar", "vector", CudaBackend.NAME);

  /** The names of all backends, for completion. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return NAMES.iterator();
    }
  }

  /**
   * Opens a backend by its name.
   *
   * @throws IllegalArgumentException if no backend has the name
   * @throws CudaException if the GPU cannot be used
   */
  static LocalBackends open(String name) {
    return switch (name) {
      case "scalar" -> ofCpu(Kernels.scalar());
      case "vector" -> ofCpu(Kernels.vector());
      case CudaBackend.NAME -> new LocalBackends(List.of(CudaBackend.open()));
      default ->
          throw new IllegalArgumentException(
              "invalid --backend: " + name + "; must be one of " + String.join(", ", NAMES));
    };
  }

  /** Opens the fastest backend of the CPU. */
  static LocalBackends fastestOfCpu() {
    return ofCpu(Kernels.forShortRuns(Kernels.chosen()));
  }

  private static LocalBackends ofCpu(Kernel kernel) {
    return new LocalBackends(List.of(Reconstructor.standard().withKernel(kernel)));
  }

  /** Opens all backends; warns of a GPU that cannot be used. */
  static LocalBackends available(Output output) {
    List<Backend> backends = new ArrayList<>(CrossCheck.ofCpu());
    CudaBackend.find(output::warn).ifPresent(backends::add);
    return new LocalBackends(backends);
  }

  @Override
  public void close() {
    for (Backend backend : all) {
      if (backend instanceof CudaBackend gpu) {
        gpu.close();
      }
    }
  }
}
