package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Side;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reconstructs adapters on a GPU and hands their factors to the host. Keeps the plan of the last
 * adapter, so that adapters of one base model cost a launch each. Safe for use by any number of
 * threads, which take turns.
 */
public final class CudaBackend implements Backend, AutoCloseable {
  /** The name of the backend. */
  public static final String NAME = "cuda";

  private final Workspace workspace;
  private final Budget budget;

  private CudaBackend(Workspace workspace, Budget budget) {
    this.workspace = workspace;
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
    return new CudaBackend(new Workspace(device, device::close), Budget.standard());
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
    return new CudaBackend(new Workspace(device, () -> {}), Budget.standard());
  }

  /**
   * Returns the GPU.
   *
   * @return the device
   */
  public CudaDevice device() {
    return workspace.device;
  }

  @Override
  public String name() {
    return NAME;
  }

  /** Returns a copy that shares the GPU; closing one of them closes both. */
  @Override
  public CudaBackend withBudget(Budget budget) {
    return new CudaBackend(workspace, budget);
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
      return workspace.factors(adapter, index);
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
    return workspace.digest(adapter);
  }

  @Override
  public void close() {
    workspace.close();
  }

  /** The GPU, and what it holds: a plan, and room for the factors of one adapter. */
  private static final class Workspace {
    private final CudaDevice device;
    private final Runnable release;
    private @Nullable AdapterPlan plan;
    private @Nullable DeviceFactors room;

    /** The adapter whose factors are in the room. */
    private @Nullable Adapter reconstructed;

    Workspace(CudaDevice device, Runnable release) {
      this.device = device;
      this.release = release;
    }

    synchronized Factors factors(Adapter adapter, int index) {
      DeviceFactors factors = room;
      if (factors == null || reconstructed != adapter) {
        factors = reconstruct(adapter);
      }
      Layer layer = adapter.layers().get(index);
      boolean hasB = factors.length(index, Side.B) > 0;
      return Factors.of(
          layer,
          factors.copyFloats(0, index, Side.A),
          hasB ? factors.copyFloats(0, index, Side.B) : null);
    }

    private DeviceFactors reconstruct(Adapter adapter) {
      reconstructed = null;
      AdapterPlan fitting = planFor(adapter);
      DeviceFactors factors = room;
      if (factors == null) {
        factors = fitting.allocate(DType.F32, 1);
        room = factors;
      }
      try (ResidentAdapters resident = fitting.upload(List.of(adapter))) {
        fitting.reconstruct(resident, 0, 1, factors);
        device.synchronize();
      }
      reconstructed = adapter;
      return factors;
    }

    synchronized ReconstructionDigest digest(Adapter adapter) {
      return planFor(adapter).digests(List.of(adapter)).getFirst();
    }

    private AdapterPlan planFor(Adapter adapter) {
      AdapterPlan current = plan;
      if (current == null || !current.accepts(adapter)) {
        free();
        current = AdapterPlan.of(device, adapter);
        plan = current;
      }
      return current;
    }

    private void free() {
      List<Runnable> releases = new ArrayList<>();
      if (room != null) {
        releases.add(room::close);
      }
      if (plan != null) {
        releases.add(plan::close);
      }
      reconstructed = null;
      room = null;
      plan = null;
      Releases.runAll(releases);
    }

    synchronized void close() {
      Releases.runAll(List.of(this::free, release));
    }
  }
}
