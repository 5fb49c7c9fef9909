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
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Adds ΔW to tensors in a GPU's memory, with the bits of {@code dev.nola.reconstruct.Merge}
 * (SPEC.md section 7.3). Writes the structures of src/main/cuda/merge.cuh.
 */
public final class DeviceMerge {
  private static final int THREADS = 128;
  private static final int TILE_COLUMNS = 256;
  private static final int TILE_ROWS = 16;
  private static final int MAX_GRID_Y = 65_535;
  private static final int TERM_BYTES = 32;
  private static final int ARGUMENT_BYTES = 72;
  private static final long NO_OVERFLOW = -1;

  private DeviceMerge() {}

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

    private Layer adapted() {
      return factors.plan().factors().sample().layers().get(layer);
    }
  }

  /**
   * Merges layers into a tensor and waits for the result. Elements outside a slice are not written.
   *
   * @param weights the tensor
   * @param merged receives the merged elements; a tensor of the same type and size, or the same one
   * @param terms the layers, added in this order; at least one, all of the same tensor, slice and
   *     view
   * @throws MergeOverflowException if a finite weight would become infinite; {@code merged} is
   *     undefined then
   * @throws IllegalArgumentException if tensors and layers do not fit each other
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  public static void merge(DeviceTensor weights, DeviceTensor merged, List<Term> terms) {
    requireFitting(weights, merged, terms);
    Layer layer = terms.getFirst().adapted();
    CudaDevice device = weights.device();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termTable = arena.allocate((long) TERM_BYTES * terms.size(), Long.BYTES);
      ByteBuffer writer = termTable.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      for (Term term : terms) {
        DeviceFactors factors = term.factors();
        writer
            .putLong(factors.address(term.adapter(), term.layer(), Side.A))
            .putLong(factors.address(term.adapter(), term.layer(), Side.B))
            .putDouble(term.weight())
            .putInt(rank(factors, term))
            .putInt(0);
      }
      MemorySegment overflow = arena.allocateFrom(ValueLayout.JAVA_LONG, NO_OVERFLOW);
      try (DeviceMemory deviceTerms = DeviceMemory.of(device, termTable);
          DeviceMemory deviceOverflow = DeviceMemory.of(device, overflow)) {
        MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
        Runs runs = Runs.of(layer);
        arguments
            .asByteBuffer()
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(weights.address())
            .putLong(merged.address())
            .putLong(deviceTerms.address())
            .putLong(deviceOverflow.address())
            .putLong(runs.start())
            .putLong(runs.length())
            .putLong(runs.pitch())
            .putInt(terms.size())
            .putInt(layer.rows())
            .putInt(layer.cols())
            .putInt(0);
        String kernel =
            (terms.size() == 1 ? "merge_" : "mergeMany_")
                + weights.dtype().name().toLowerCase(Locale.ROOT);
        device.launch(
            kernel,
            (layer.cols() - 1) / TILE_COLUMNS + 1,
            Math.min(MAX_GRID_Y, (layer.rows() - 1) / TILE_ROWS + 1),
            THREADS,
            arguments);
        deviceOverflow.copyTo(overflow, 0);
      }
      long element = overflow.get(ValueLayout.JAVA_LONG, 0);
      if (element != NO_OVERFLOW) {
        throw new MergeOverflowException(layer.tensor(), element, weights.dtype());
      }
    }
  }

  private static int rank(DeviceFactors factors, Term term) {
    int ofB = factors.length(term.layer(), Side.B);
    return ofB / term.adapted().cols();
  }

  private static void requireFitting(DeviceTensor weights, DeviceTensor merged, List<Term> terms) {
    if (terms.isEmpty()) {
      throw new IllegalArgumentException("no layers to merge; needs at least one");
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
      return new Runs(
          slice.start() * inner, slice.length() * inner, shape.get(slice.dim()) * inner);
    }
  }
}
