package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Reconstructs adapters on a GPU and hands their factors to the host. Keeps the plans and factors
 * of the last adapters, so that adapters of one base model cost a launch each, and layers of a few
 * adapters in turns no more. Safe for use by any number of threads, which take turns.
 */
public final class CudaBackend implements Backend, AutoCloseable {
  /** The name of the backend. */
  public static final String NAME = "cuda";

  private final BackendMemory memory;
  private final Budget budget;

  private CudaBackend(BackendMemory memory, Budget budget) {
    this.memory = memory;
    this.budget = budget;
  }

  /**
   * Opens the backend on the first GPU.
   *
   * @return the backend, with {@link Budget#standard}
   * @throws CudaException if no driver or no GPU is found, or one of them is too old
   */
  public static CudaBackend open() {
    CudaDevice device = CudaDevice.open();
    return new CudaBackend(new BackendMemory(device, device::close), Budget.standard());
  }

  /**
   * Opens the backend on the first GPU, if this machine has one.
   *
   * @param warning receives why a GPU cannot be used
   * @return the backend, with {@link Budget#standard}; empty without a usable GPU
   */
  public static Optional<CudaBackend> find(Consumer<String> warning) {
    try {
      return Optional.of(open());
    } catch (CudaException e) {
      if (!e.reason().isAbsence()) {
        warning.accept("GPU not used: " + e.getMessage());
      }
      return Optional.empty();
    }
  }

  /**
   * Opens the backend on a GPU.
   *
   * @param device the GPU, which stays open when the backend is closed
   * @return the backend, with {@link Budget#standard}
   */
  public static CudaBackend on(CudaDevice device) {
    return new CudaBackend(new BackendMemory(device, () -> {}), Budget.standard());
  }

  /**
   * Returns the GPU.
   *
   * @return the device
   */
  public CudaDevice device() {
    return memory.device();
  }

  @Override
  public String name() {
    return NAME;
  }

  /** Returns a copy that shares the GPU; closing one of them closes both. */
  @Override
  public CudaBackend withBudget(Budget budget) {
    return new CudaBackend(memory, budget);
  }

  /**
   * {@inheritDoc}
   *
   * <p>The returned function throws a {@link CudaException} if the GPU's memory does not suffice
   * for all factors of the adapter, or if the GPU fails.
   */
  @Override
  public Function<Layer, Factors> open(Adapter adapter) throws LimitExceededException {
    budget.requireByLayer(adapter, 1);
    Map<Layer, Integer> indexes = new IdentityHashMap<>();
    for (int i = 0; i < adapter.layers().size(); i++) {
      indexes.put(adapter.layers().get(i), i);
    }
    return layer -> {
      Integer index = indexes.get(layer);
      if (index == null) {
        throw new NoSuchElementException("layer not of this adapter: " + layer.tensor());
      }
      return memory.factors(adapter, index);
    };
  }

  /**
   * {@inheritDoc}
   *
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  @Override
  public ReconstructionDigest digest(Adapter adapter) throws LimitExceededException {
    if (adapter.layers().isEmpty()) {
      return Reconstructor.standard().withBudget(budget).digest(adapter); // nothing to compute
    }
    budget.requireAdditions(adapter);
    return memory.digest(adapter);
  }

  @Override
  public void close() {
    memory.close();
  }
}
