package dev.nola.client.merge;

import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.DeviceMerge;
import dev.nola.gpu.DeviceTensor;
import dev.nola.gpu.Releases;
import dev.nola.reconstruct.MergeOverflowException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Merges tensors on a GPU, which holds the factors of all adapters meanwhile. Several threads may
 * fill and read tensors at once; they take turns to merge.
 */
final class GpuMerge implements AutoCloseable {
  private final CudaDevice device;
  private final List<Double> weights;
  private final List<@Nullable Reconstructed> adapters = new ArrayList<>();
  private final DeviceMerge merge;

  /** Tensors for which the GPU's memory did not suffice. */
  private final AtomicLong tooLarge = new AtomicLong();

  /** Tensors whose layers only the CPU can merge. */
  private final AtomicLong unsupported = new AtomicLong();

  /** An adapter's factors on the GPU. */
  private record Reconstructed(
      AdapterPlan plan, DeviceFactors factors, Map<Layer, Integer> indexes) {}

  /**
   * Reconstructs the adapters.
   *
   * @throws CudaException if the GPU's memory does not suffice for their factors
   */
  GpuMerge(CudaDevice device, List<AdapterFile> files, List<Double> weights) {
    this.device = device;
    this.weights = List.copyOf(weights);
    this.merge = DeviceMerge.open(device);
    try {
      for (AdapterFile file : files) {
        Adapter adapter = file.adapter();
        adapters.add(adapter.layers().isEmpty() ? null : reconstruct(adapter));
      }
    } catch (RuntimeException e) {
      Releases.after(e, this::close);
      throw e;
    }
  }

  private Reconstructed reconstruct(Adapter adapter) {
    AdapterPlan plan = AdapterPlan.of(device, adapter);
    try {
      Map<Layer, Integer> indexes = new IdentityHashMap<>();
      adapter.layers().forEach(layer -> indexes.put(layer, indexes.size()));
      return new Reconstructed(plan, plan.reconstruct(adapter, DType.F32), indexes);
    } catch (RuntimeException e) {
      Releases.after(e, plan::close);
      throw e;
    }
  }

  /**
   * Makes room for a tensor.
   *
   * @return the tensor; empty if its layers overlap in a way that only the CPU can merge, or the
   *     GPU's memory does not suffice beside the tensors of other threads
   */
  Optional<Whole> begin(Plan.Part.Merged part) {
    List<Layer> layers = part.addends().stream().map(Plan.Addend::layer).toList();
    List<List<Integer>> groups = TensorMerge.groups(layers);
    if (groups == null || layers.size() > DeviceMerge.MAX_TERMS) {
      unsupported.incrementAndGet();
      return Optional.empty();
    }
    DType dtype = part.mergedType();
    try {
      DeviceTensor tensor = DeviceTensor.allocate(device, dtype, part.tensor().elements());
      return Optional.of(new Whole(part.tensor(), tensor, terms(part.addends(), groups)));
    } catch (CudaException e) {
      if (e.reason() == CudaException.Reason.OUT_OF_MEMORY) {
        tooLarge.incrementAndGet();
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Returns what users should know of tensors that were merged on the CPU.
   *
   * @param tensors number of all tensors that adapters were added to
   */
  List<String> warnings(long tensors) {
    List<String> warnings = new ArrayList<>();
    if (tooLarge.get() > 0) {
      warnings.add(
          "GPU memory too small: %d of %d tensors; they were merged on the CPU"
              .formatted(tooLarge.get(), tensors));
    }
    if (unsupported.get() > 0) {
      warnings.add(
          "layers that divide a tensor differently, or more than %d of them: %d of %d tensors; they were merged on the CPU"
              .formatted(DeviceMerge.MAX_TERMS, unsupported.get(), tensors));
    }
    return warnings;
  }

  private List<List<DeviceMerge.Term>> terms(
      List<Plan.Addend> addends, List<List<Integer>> groups) {
    List<List<DeviceMerge.Term>> terms = new ArrayList<>();
    for (List<Integer> group : groups) {
      terms.add(group.stream().map(index -> term(addends.get(index))).toList());
    }
    return terms;
  }

  private DeviceMerge.Term term(Plan.Addend addend) {
    Reconstructed adapter = adapters.get(addend.adapter());
    if (adapter == null) {
      throw new AssertionError("an adapter with this layer has layers");
    }
    int layer = adapter.indexes().get(addend.layer());
    return new DeviceMerge.Term(adapter.factors(), 0, layer, weights.get(addend.adapter()));
  }

  /** A tensor on the GPU, which is filled, merged and read. */
  final class Whole implements Piecewise.Whole, AutoCloseable {
    private final Tensor source;
    private final DeviceTensor tensor;
    private final List<List<DeviceMerge.Term>> groups;

    private Whole(Tensor source, DeviceTensor tensor, List<List<DeviceMerge.Term>> groups) {
      this.source = source;
      this.tensor = tensor;
      this.groups = groups;
    }

    @Override
    public void put(long element, MemorySegment piece) {
      tensor.copyFrom(piece, element);
    }

    @Override
    public void merge() throws MergeRefusedException {
      synchronized (merge) {
        for (List<DeviceMerge.Term> terms : groups) {
          try {
            merge.add(tensor, tensor, terms);
            merge.finish();
          } catch (MergeOverflowException e) {
            long element = TensorMerge.elementOf(terms.getFirst().adapted(), e.element());
            throw TensorMerge.overflow(source, tensor.dtype(), element);
          }
        }
      }
    }

    @Override
    public void get(long element, MemorySegment piece) {
      tensor.copyTo(piece, element);
    }

    @Override
    public void close() {
      tensor.close();
    }
  }

  @Override
  public void close() {
    List<Runnable> releases = new ArrayList<>();
    for (Reconstructed adapter : adapters) {
      if (adapter != null) {
        releases.add(adapter.factors()::close);
        releases.add(adapter.plan()::close);
      }
    }
    releases.add(merge::close);
    adapters.clear();
    Releases.runAll(releases);
  }
}
