package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.gpu.CudaException.Reason;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link CudaBackend} holds on a GPU: the plans and factors of the adapters used last. They
 * are dropped, those used longest ago first, where the memory does not suffice for others.
 */
final class BackendMemory {
  /** Plans, and adapters with factors. */
  private static final int MAX_HELD = 4;

  private final CudaDevice device;
  private final Runnable release;

  /** Least recently used first. */
  private final Deque<AdapterPlan> plans = new ArrayDeque<>();

  /** Least recently used first. */
  private final Deque<Reconstructed> reconstructed = new ArrayDeque<>();

  /** An adapter with its factors. */
  private record Reconstructed(Adapter adapter, AdapterPlan plan, DeviceFactors factors) {}

  /**
   * Prepares the memory.
   *
   * @param device the GPU
   * @param release runs when this is closed
   */
  BackendMemory(CudaDevice device, Runnable release) {
    this.device = device;
    this.release = release;
  }

  CudaDevice device() {
    return device;
  }

  /**
   * Copies the factors of a layer to the host, and reconstructs the adapter if that was not done.
   *
   * @param adapter the adapter
   * @param index index of its layer
   * @return the factors
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  synchronized Factors factors(Adapter adapter, int index) {
    DeviceFactors factors = reconstructed(adapter).factors();
    Layer layer = adapter.layers().get(index);
    boolean hasB = factors.length(index, Side.B) > 0;
    return Factors.of(
        layer,
        factors.copyFloats(0, index, Side.A),
        hasB ? factors.copyFloats(0, index, Side.B) : null);
  }

  /**
   * Computes the digest of an adapter.
   *
   * @param adapter the adapter
   * @return the digest
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  synchronized ReconstructionDigest digest(Adapter adapter) {
    AdapterPlan plan = planFor(adapter);
    return withMemory(plan, () -> plan.digests(List.of(adapter))).getFirst();
  }

  private Reconstructed reconstructed(Adapter adapter) {
    for (Iterator<Reconstructed> held = reconstructed.iterator(); held.hasNext(); ) {
      Reconstructed one = held.next();
      if (one.adapter() == adapter) {
        held.remove();
        reconstructed.addLast(one);
        return one;
      }
    }
    AdapterPlan plan = planFor(adapter);
    if (reconstructed.size() == MAX_HELD) {
      reconstructed.removeFirst().factors().close();
    }
    DeviceFactors factors = withMemory(plan, () -> plan.reconstruct(adapter, DType.F32));
    Reconstructed added = new Reconstructed(adapter, plan, factors);
    reconstructed.addLast(added);
    return added;
  }

  private AdapterPlan planFor(Adapter adapter) {
    for (Iterator<AdapterPlan> held = plans.iterator(); held.hasNext(); ) {
      AdapterPlan plan = held.next();
      if (plan.accepts(adapter)) {
        held.remove();
        plans.addLast(plan);
        return plan;
      }
    }
    if (plans.size() == MAX_HELD) {
      drop(plans.getFirst());
    }
    AdapterPlan added = withMemory(null, () -> AdapterPlan.of(device, adapter));
    plans.addLast(added);
    return added;
  }

  /** Does something that needs memory, and drops what is held while that does not suffice. */
  private <T> T withMemory(@Nullable AdapterPlan used, Supplier<T> work) {
    while (true) {
      try {
        return work.get();
      } catch (CudaException e) {
        if (e.reason() != Reason.OUT_OF_MEMORY || !dropOldest(used)) {
          throw e;
        }
      }
    }
  }

  /** Returns whether there was something to drop beside a plan. */
  private boolean dropOldest(@Nullable AdapterPlan used) {
    Reconstructed oldest = reconstructed.pollFirst();
    if (oldest != null) {
      oldest.factors().close();
      return true;
    }
    for (AdapterPlan plan : plans) {
      if (plan != used) {
        drop(plan);
        return true;
      }
    }
    return false;
  }

  /** Frees a plan and the factors of its adapters. */
  private void drop(AdapterPlan plan) {
    List<Runnable> releases = new ArrayList<>();
    for (Reconstructed held : reconstructed) {
      if (held.plan() == plan) {
        releases.add(held.factors()::close);
      }
    }
    reconstructed.removeIf(held -> held.plan() == plan);
    releases.add(plan::close);
    plans.remove(plan);
    Releases.runAll(releases);
  }

  /** Frees everything. */
  synchronized void close() {
    List<Runnable> releases = new ArrayList<>();
    reconstructed.forEach(held -> releases.add(held.factors()::close));
    plans.forEach(plan -> releases.add(plan::close));
    releases.add(release);
    reconstructed.clear();
    plans.clear();
    Releases.runAll(releases);
  }
}
