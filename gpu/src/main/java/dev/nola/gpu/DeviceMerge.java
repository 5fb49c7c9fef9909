package dev.nola.gpu;

import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Side;
import dev.nola.reconstruct.MergeOverflowException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Adds ΔW to tensors in a GPU's memory, with the bits of {@code dev.nola.reconstruct.Merge}
 * (SPEC.md section 7.3). Merges are launched one after the other, and {@link #finish} says whether
 * all elements stayed finite. Writes the structures of src/main/cuda/merge.cuh. Not thread-safe.
 */
public final class DeviceMerge implements AutoCloseable {
  /** The most adapters that can be merged into a tensor at once. */
  public static final int MAX_TERMS = 64;

  private static final int THREADS = 128;
  private static final int TILE_COLUMNS = 256;
  private static final int TILE_ROWS = 8;
  private static final int MAX_GRID_Y = 65_535;
  private static final int ARGUMENT_BYTES = 64 + 32 * MAX_TERMS;

  /** Merges that are launched before their results are read. */
  private static final int PENDING = 4096;

  private static final byte NO_OVERFLOW = -1;

  private final CudaDevice device;
  private final DeviceMemory overflows;
  private final List<Pending> pending = new ArrayList<>();

  private record Pending(Layer layer, DType dtype) {}

  private DeviceMerge(CudaDevice device) {
    this.device = device;
    this.overflows = new DeviceMemory(device, (long) PENDING * Long.BYTES);
    try {
      clear();
    } catch (RuntimeException e) {
      Releases.after(e, overflows::close);
      throw e;
    }
  }

  /**
   * Prepares merges.
   *
   * @param device the GPU
   * @return the merges, none yet
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static DeviceMerge open(CudaDevice device) {
    return new DeviceMerge(device);
  }

  private void clear() {
    pending.clear();
    device.use().fill(overflows.address(), NO_OVERFLOW, overflows.bytes());
  }

  /**
   * What one adapter adds.
   *
   * @param factors its factors on the device, f32
   * @param adapter index of the adapter in {@code factors}
   * @param layer index of the layer that adapts the tensor
   * @param weight w in W + w·ΔW, finite
   */
  public record Term(DeviceFactors factors, int adapter, int layer, double weight) {
    /**
     * Checks the weight and the type.
     *
     * @throws IllegalArgumentException if {@code weight} is not finite, or the factors are not f32
     */
    public Term {
      if (!Double.isFinite(weight)) {
        throw new IllegalArgumentException(
            "invalid adapter weight: " + weight + "; must be finite");
      }
      if (factors.dtype() != DType.F32) {
        throw new IllegalArgumentException(
            "wrong type of factors: %s; merging needs f32".formatted(factors.dtype()));
      }
    }

    /**
     * Returns the layer whose tensor and slice are adapted.
     *
     * @return the layer of the adapter that the plan was made from
     */
    public Layer adapted() {
      return factors.plan().sample().layers().get(layer);
    }
  }

  /**
   * Launches the merge of layers into a tensor, and returns at once. Elements outside a slice are
   * not written.
   *
   * @param weights the tensor
   * @param merged receives the merged elements; a tensor of the same type and size, or the same one
   * @param terms the layers, added in this order; 1 to {@value #MAX_TERMS}, all of the same tensor,
   *     slice and view
   * @throws MergeOverflowException if a finite weight became infinite in an earlier merge, of which
   *     too many were launched to wait any longer
   * @throws IllegalArgumentException if tensors and layers do not fit each other
   * @throws CudaException if the GPU fails
   */
  public void add(DeviceTensor weights, DeviceTensor merged, List<Term> terms) {
    requireFitting(weights, merged, terms);
    if (pending.size() == PENDING) {
      finish();
    }
    Layer layer = terms.getFirst().adapted();
    Runs runs = Runs.of(layer);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
      ByteBuffer writer =
          arguments
              .asByteBuffer()
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(weights.address())
              .putLong(merged.address())
              .putLong(overflows.address() + (long) pending.size() * Long.BYTES)
              .putLong(runs.start())
              .putLong(runs.length())
              .putLong(runs.pitch())
              .putInt(terms.size())
              .putInt(layer.rows())
              .putInt(layer.cols())
              .putInt(0);
      for (Term term : terms) {
        DeviceFactors factors = term.factors();
        writer
            .putLong(factors.address(term.adapter(), term.layer(), Side.A))
            .putLong(factors.address(term.adapter(), term.layer(), Side.B))
            .putDouble(term.weight())
            .putInt(rank(factors, term))
            .putInt(0);
      }
      String kind =
          runs.length() != runs.pitch() ? "mergeSlice" : terms.size() == 1 ? "merge" : "mergeMany";
      String kernel = kind + ElementType.of(weights.dtype()).suffix();
      device.launch(
          kernel,
          (layer.cols() - 1) / TILE_COLUMNS + 1,
          Math.min(MAX_GRID_Y, (layer.rows() - 1) / TILE_ROWS + 1),
          THREADS,
          arguments);
    }
    pending.add(new Pending(layer, weights.dtype()));
  }

  /**
   * Waits for all merges.
   *
   * @throws MergeOverflowException if a finite weight became infinite in one of them; all that was
   *     merged since the last call is undefined then
   * @throws CudaException if the GPU failed
   */
  public void finish() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate((long) pending.size() * Long.BYTES, Long.BYTES);
      overflows.copyTo(host, 0);
      for (int i = 0; i < pending.size(); i++) {
        long element = host.getAtIndex(ValueLayout.JAVA_LONG, i);
        if (element != NO_OVERFLOW) {
          Pending merge = pending.get(i);
          clear();
          throw new MergeOverflowException(merge.layer().tensor(), element, merge.dtype());
        }
      }
      pending.clear(); // and the places of their results were not written
    }
  }

  private static int rank(DeviceFactors factors, Term term) {
    int ofB = factors.length(term.layer(), Side.B);
    return ofB / term.adapted().cols();
  }

  private static void requireFitting(DeviceTensor weights, DeviceTensor merged, List<Term> terms) {
    if (terms.isEmpty() || terms.size() > MAX_TERMS) {
      throw new IllegalArgumentException(
          "invalid number of layers to merge: %d; must be 1 to %d"
              .formatted(terms.size(), MAX_TERMS));
    }
    if (weights.dtype() != merged.dtype() || weights.elements() != merged.elements()) {
      throw new IllegalArgumentException(
          "weights and merged weights differ in type or size: %s, %d elements, and %s, %d elements"
              .formatted(weights.dtype(), weights.elements(), merged.dtype(), merged.elements()));
    }
    Layer first = terms.getFirst().adapted();
    long elements = first.shape().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
    if (elements != weights.elements()) {
      throw new IllegalArgumentException(
          "tensor %s does not fit: %d elements; the adapter's has %d"
              .formatted(first.tensor(), weights.elements(), elements));
    }
    for (Term term : terms) {
      Layer layer = term.adapted();
      if (!layer.shape().equals(first.shape())
          || !Objects.equals(layer.slice(), first.slice())
          || layer.rows() != first.rows()
          || layer.cols() != first.cols()) {
        throw new IllegalArgumentException(
            "layers adapt different parts of tensor %s; must have the same slice and view"
                .formatted(first.tensor()));
      }
    }
  }

  /**
   * How the adapted elements lie in the tensor: in runs of equal length, at equal distances.
   *
   * @param start the first element of the first run
   * @param length elements of a run
   * @param pitch elements from the start of a run to that of the next one
   */
  private record Runs(long start, long length, long pitch) {
    static Runs of(Layer layer) {
      Slice slice = layer.slice();
      if (slice == null) {
        return new Runs(0, layer.elements(), layer.elements());
      }
      List<Integer> shape = layer.shape();
      long inner =
          shape.subList(slice.dim() + 1, shape.size()).stream()
              .mapToLong(Integer::longValue)
              .reduce(1, (a, b) -> a * b);
      if (slice.dim() == 0) {
        return new Runs(slice.start() * inner, layer.elements(), layer.elements());
      }
      return new Runs(
          slice.start() * inner, slice.length() * inner, shape.get(slice.dim()) * inner);
    }
  }

  /** Frees the memory; merges that were launched end. */
  @Override
  public void close() {
    overflows.close();
  }
}
