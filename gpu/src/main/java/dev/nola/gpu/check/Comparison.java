package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.DeviceTensor;
import dev.nola.gpu.ElementType;
import dev.nola.gpu.ResidentAdapters;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Compares what a GPU computes with what the CPU computes, bit by bit. */
public final class Comparison {
  private static final byte POISON = (byte) 0xFF;

  private final CudaDevice device;
  private final Reconstructor cpu;
  private long results;
  private long elements;
  private long wrong;

  /**
   * Starts a comparison.
   *
   * @param device reconstructs
   */
  public Comparison(CudaDevice device) {
    this.device = device;
    this.cpu = Reconstructor.standard().withBudget(Budget.UNLIMITED);
  }

  /**
   * Returns how many results were compared: adapters, digests, tensors, factors in training,
   * products of a factor.
   */
  long results() {
    return results;
  }

  /** Returns how many elements were compared. */
  long elements() {
    return elements;
  }

  /**
   * Returns how many layers and other results had a wrong bit.
   *
   * @return 0 if all bits were equal
   */
  public long wrong() {
    return wrong;
  }

  /**
   * Reconstructs adapters in one launch, and compares them.
   *
   * @param alike adapters that can share a plan
   * @param dtype type of the factors
   * @throws LimitExceededException never: nothing limits the CPU
   */
  public void compare(List<Adapter> alike, DType dtype) throws LimitExceededException {
    compare(alike, ElementType.of(dtype));
  }

  /**
   * Reconstructs adapters in one launch, and compares them.
   *
   * @param alike adapters that can share a plan
   * @param type how the factors are stored
   * @throws LimitExceededException never: nothing limits the CPU
   */
  public void compare(List<Adapter> alike, ElementType type) throws LimitExceededException {
    try (AdapterPlan plan = AdapterPlan.of(device, alike.getFirst());
        ResidentAdapters resident = plan.upload(alike);
        DeviceFactors factors = plan.allocate(type, alike.size())) {
      factors.fill(POISON);
      plan.reconstruct(resident, 0, alike.size(), factors);
      device.synchronize();
      for (int n = 0; n < alike.size(); n++) {
        compare(alike.get(n), factors, n);
      }
    }
  }

  /** Compares factors that a device holds with those that the CPU computes. */
  void compare(Adapter adapter, DeviceFactors factors, int index) throws LimitExceededException {
    List<Layer> layers = adapter.layers();
    Function<Layer, Factors> reconstruction =
        cpu.open(adapter, Runtime.getRuntime().availableProcessors());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment host = factors.copy(index, arena);
      int[] differing =
          IntStream.range(0, layers.size())
              .parallel()
              .filter(
                  layer -> {
                    Factors expected = reconstruction.apply(layers.get(layer));
                    FactorCopy copy = new FactorCopy(host, factors, index, layer);
                    return copy.differs(Side.A, expected.a())
                        || expected.b() != null && copy.differs(Side.B, expected.b());
                  })
              .toArray();
      for (int layer : differing) {
        report(false, "layer %s of %s".formatted(layers.get(layer).tensor(), adapter));
      }
    }
    results++;
    for (int layer = 0; layer < layers.size(); layer++) {
      elements += factors.length(layer, Side.A) + (long) factors.length(layer, Side.B);
    }
  }

  /** The factors of a layer, on the host. */
  private record FactorCopy(MemorySegment host, DeviceFactors factors, int index, int layer) {
    boolean differs(Side side, float[] expected) {
      ElementType type = factors.type();
      long offset = factors.address(index, layer, side) - factors.address(index, 0, Side.A);
      int length = factors.length(layer, side);
      if (length != expected.length) {
        return true;
      }
      MemorySegment actual = host.asSlice(offset, (long) length * type.dtype().bytes());
      if (type.dtype() == DType.F32) {
        return actual.mismatch(MemorySegment.ofArray(expected)) >= 0;
      }
      float multiplier =
          factors.length(layer, Side.B) == 0
              ? 1 // the direct form
              : side == Side.A ? type.multiplierA() : type.multiplierB();
      for (int e = 0; e < length; e++) {
        short rounded = rounded(expected[e] * multiplier, type.dtype());
        if (actual.getAtIndex(ValueLayout.JAVA_SHORT, e) != rounded) {
          return true;
        }
      }
      return false;
    }
  }

  /** Compares the root that a device computes with that of a file. */
  void compareRoot(AdapterFile file) {
    try (AdapterPlan plan = AdapterPlan.of(device, file.adapter())) {
      count(
          plan.digests(List.of(file.adapter()))
              .getFirst()
              .root()
              .equals(file.reconstructionDigest()),
          0,
          "digest of " + file.adapter());
    }
  }

  /** Compares two digests. */
  void compareDigest(ReconstructionDigest expected, ReconstructionDigest actual) {
    count(actual.equals(expected), 0, "digest");
  }

  /** Compares a merged tensor with what the CPU makes of the weights, which are overwritten. */
  void compareMerge(Adapter adapter, int layer, DeviceTensor merged, MemorySegment weights)
      throws LimitExceededException {
    Factors factors = cpu.open(adapter).apply(adapter.layers().get(layer));
    long bytes = merged.dtype().bytes();
    long rowBytes = factors.layer().cols() * bytes;
    IntStream.range(0, factors.layer().rows())
        .parallel()
        .forEach(
            row -> {
              MemorySegment part = weights.asSlice(row * rowBytes, rowBytes);
              Merge.merge(
                  Kernels.chosen(),
                  merged.dtype(),
                  part,
                  part,
                  (long) row * factors.layer().cols(),
                  List.of(new WeightedDelta(factors, 1)));
            });
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment actual = arena.allocate(weights.byteSize(), 64);
      merged.copyTo(actual);
      count(actual.mismatch(weights) < 0, merged.elements(), "merged " + factors.layer().tensor());
    }
  }

  /** Compares transposed products with those that the CPU computes. */
  void compareProducts(Adapter adapter, int layer, Side side, float[] gradient, double[] products) {
    Basis basis = adapter.layers().get(layer).basis(adapter.generator(), adapter.seed(), side);
    double[] expected = new double[products.length];
    Kernels.chosen().project(Objects.requireNonNull(basis), gradient, expected);
    count(Arrays.equals(expected, products), expected.length, "products of " + basis);
  }

  /** Counts a result that was compared. */
  void count(boolean right, long compared, String what) {
    results++;
    elements += compared;
    report(right, what);
  }

  private void report(boolean right, String what) {
    if (!right) {
      wrong++;
      System.out.println("WRONG BITS: " + what);
    }
  }

  private static short rounded(float value, DType dtype) {
    if (dtype == DType.F16) {
      return Float.floatToFloat16(value);
    }
    int bits = Float.floatToRawIntBits(value);
    return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
  }
}
