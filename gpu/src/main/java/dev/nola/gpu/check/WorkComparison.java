package dev.nola.gpu.check;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Slice;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.gpu.AdapterPlan;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.DeviceAdapterPool;
import dev.nola.gpu.DeviceFactors;
import dev.nola.gpu.DeviceMerge;
import dev.nola.gpu.DeviceProducts;
import dev.nola.gpu.DeviceTensor;
import dev.nola.gpu.ResidentAdapters;
import dev.nola.gpu.TrainingFactors;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;

/** Compares merges, training steps and a pool on a GPU with the scalar kernel of the CPU. */
public final class WorkComparison {
  private static final double[] WEIGHTS = {0.7, -1.3, 1};

  private final CudaDevice device;
  private final Comparison comparison;

  /**
   * Prepares comparisons.
   *
   * @param device works
   * @param comparison counts the results
   */
  public WorkComparison(CudaDevice device, Comparison comparison) {
    this.device = device;
    this.comparison = comparison;
  }

  /**
   * Merges adapters into tensors with weights of every kind, of which some are subnormal, infinite
   * or not a number.
   *
   * @param adapters 1 to 3 adapters that can share a plan, of matrices and slices of matrices
   * @param dtype type of the tensors
   * @throws LimitExceededException if the CPU refuses an adapter
   */
  public void compareMerges(List<Adapter> adapters, DType dtype) throws LimitExceededException {
    List<List<Factors>> onCpu = new ArrayList<>();
    for (Adapter adapter : adapters) {
      onCpu.add(Reconstructor.standard().factors(adapter));
    }
    try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst());
        ResidentAdapters resident = plan.upload(adapters);
        DeviceFactors factors = plan.allocate(DType.F32, adapters.size())) {
      plan.reconstruct(resident, 0, adapters.size(), factors);
      for (int layer = 0; layer < onCpu.getFirst().size(); layer++) {
        List<DeviceMerge.Term> terms = new ArrayList<>();
        List<WeightedDelta> deltas = new ArrayList<>();
        for (int n = 0; n < adapters.size(); n++) {
          terms.add(new DeviceMerge.Term(factors, n, layer, WEIGHTS[n]));
          deltas.add(new WeightedDelta(onCpu.get(n).get(layer), WEIGHTS[n]));
        }
        compareMerge(dtype, terms, deltas);
      }
    }
  }

  private void compareMerge(DType dtype, List<DeviceMerge.Term> terms, List<WeightedDelta> deltas) {
    Layer layer = terms.getFirst().adapted();
    int rows = layer.shape().get(0);
    int cols = layer.shape().get(1);
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, dtype, (long) rows * cols);
        DeviceMerge merge = DeviceMerge.open(device)) {
      MemorySegment weights = weights(arena, dtype, rows * cols);
      tensor.copyFrom(weights);
      merge.add(tensor, tensor, terms);
      merge.finish();
      MemorySegment actual = arena.allocate(weights.byteSize(), Long.BYTES);
      tensor.copyTo(actual);

      // The CPU merges a slice as a tensor of its own.
      Slice slice = layer.slice() == null ? new Slice(0, 0, rows) : layer.slice();
      Cut cut = new Cut(weights, slice, rows, cols, dtype.bytes());
      MemorySegment part = arena.allocate(layer.elements() * dtype.bytes(), Long.BYTES);
      cut.copyTo(part);
      Merge.merge(Kernels.scalar(), dtype, part, part, 0, deltas);
      cut.copyFrom(part);
      comparison.count(
          actual.mismatch(weights) < 0,
          tensor.elements(),
          "merge of %d adapters into %s, %s".formatted(terms.size(), layer.tensor(), dtype));
    }
  }

  /** A slice of a matrix. */
  private record Cut(MemorySegment matrix, Slice slice, int rows, int cols, int bytes) {
    void copyTo(MemorySegment part) {
      copy(part, true);
    }

    void copyFrom(MemorySegment part) {
      copy(part, false);
    }

    private void copy(MemorySegment part, boolean out) {
      long next = 0;
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
          int index = slice.dim() == 0 ? i : j;
          if (index >= slice.start() && index < slice.end()) {
            long element = (long) (i * cols + j) * bytes;
            MemorySegment.copy(
                out ? matrix : part,
                out ? element : next,
                out ? part : matrix,
                out ? next : element,
                bytes);
            next += bytes;
          }
        }
      }
    }
  }

  /** Stores a weight; bf16 takes the upper half of its bits. */
  static void set(MemorySegment weights, DType dtype, long element, float value) {
    switch (dtype) {
      case F32 -> weights.setAtIndex(ValueLayout.JAVA_FLOAT, element, value);
      case F16 -> weights.setAtIndex(ValueLayout.JAVA_SHORT, element, Float.floatToFloat16(value));
      case BF16 ->
          weights.setAtIndex(
              ValueLayout.JAVA_SHORT, element, (short) (Float.floatToRawIntBits(value) >>> 16));
    }
  }

  private static MemorySegment weights(Arena arena, DType dtype, int count) {
    SplittableRandom random = new SplittableRandom(5);
    MemorySegment weights = arena.allocate((long) count * dtype.bytes(), Long.BYTES);
    for (int e = 0; e < count; e++) {
      float value = (float) (random.nextDouble(-1, 1) * Math.scalb(1.0, random.nextInt(-30, 3)));
      set(weights, dtype, e, value);
      if (e % 97 == 3) {
        int special = new int[] {0x7F80, 0xFF80, 0x7FC1, 0x8000}[e % 4];
        switch (dtype) {
          case F32 -> weights.setAtIndex(ValueLayout.JAVA_INT, e, special << 16 | e % 4 & 1);
          case F16 ->
              weights.setAtIndex(
                  ValueLayout.JAVA_SHORT,
                  e,
                  new short[] {0x7C00, (short) 0xFC00, 0x7E01, (short) 0x8000}[e % 4]);
          case BF16 -> weights.setAtIndex(ValueLayout.JAVA_SHORT, e, (short) special);
        }
      }
    }
    return weights;
  }

  /**
   * Computes transposed products with random gradients.
   *
   * @param adapter has the bases
   */
  public void compareProducts(Adapter adapter) {
    SplittableRandom random = new SplittableRandom(7);
    try (Arena arena = Arena.ofConfined();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors gradient = plan.allocate(DType.F32, 1);
        DeviceProducts products = plan.allocateProducts()) {
      MemorySegment host = arena.allocate(gradient.bytes(), Long.BYTES);
      for (long e = 0; e < gradient.bytes() / Float.BYTES; e++) {
        double scale = Math.scalb(1.0, random.nextInt(-20, 4));
        host.setAtIndex(ValueLayout.JAVA_FLOAT, e, (float) (random.nextDouble(-1, 1) * scale));
      }
      gradient.copyFrom(host);
      plan.project(adapter.seed(), gradient, products);
      device.synchronize();
      for (int layer = 0; layer < adapter.layers().size(); layer++) {
        for (Side side : Side.values()) {
          if (adapter.layers().get(layer).codes(side) != null) {
            long offset = gradient.address(0, layer, side) - gradient.address(0, 0, Side.A);
            float[] ofFactor =
                host.asSlice(offset, (long) gradient.length(layer, side) * Float.BYTES)
                    .toArray(ValueLayout.JAVA_FLOAT);
            comparison.compareProducts(adapter, layer, side, ofFactor, products.copy(layer, side));
          }
        }
      }
    }
  }

  /**
   * Computes factors and coefficients' gradients as two steps of a training do, in which both
   * factors have a scale.
   *
   * @param adapter has the seed and the layers; coefficients are drawn
   */
  public void compareTraining(Adapter adapter) {
    SplittableRandom random = new SplittableRandom(5);
    try (TrainingFactors factors = TrainingFactors.open(device, adapter)) {
      for (int step = 0; step < 2; step++) {
        compareStep(adapter, factors, random);
      }
    }
  }

  /** A factor in training. */
  private record Trained(int layer, Side side, Basis basis, Codes codes, float scale) {}

  private void compareStep(Adapter adapter, TrainingFactors factors, SplittableRandom random) {
    List<Trained> drawn = new ArrayList<>();
    for (int i = 0; i < adapter.layers().size(); i++) {
      for (Side side : Side.values()) {
        Layer layer = adapter.layers().get(i);
        Codes sample = layer.codes(side);
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        if (sample != null && basis != null) {
          int[] values = random.ints(sample.count(), 0, 1 << sample.bits()).toArray();
          float scale = (float) random.nextDouble(0.1, 1);
          drawn.add(new Trained(i, side, basis, Codes.of(sample.bits(), values), scale));
        }
      }
    }
    drawn.forEach(each -> factors.set(each.layer(), each.side(), each.codes(), each.scale()));
    factors.reconstruct();
    Map<Trained, float[]> gradients = new LinkedHashMap<>();
    for (Trained each : drawn) {
      int length = each.basis().length();
      float[] expected = new float[length];
      Kernels.scalar().combine(each.basis(), each.codes().values(), each.scale(), expected);
      comparison.count(
          Arrays.equals(copyFactor(factors, each), expected),
          length,
          "factor in training of " + each.basis());
      float[] gradient = new float[length];
      for (int e = 0; e < length; e++) {
        gradient[e] = (float) random.nextDouble(-1, 1);
      }
      gradients.put(each, gradient);
      takeGradient(factors, each, gradient);
    }
    factors.project();
    gradients.forEach(
        (each, gradient) ->
            comparison.compareProducts(
                adapter,
                each.layer(),
                each.side(),
                gradient,
                factors.products(each.layer(), each.side())));
  }

  private float[] copyFactor(TrainingFactors factors, Trained factor) {
    int length = factor.basis().length();
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F32, length)) {
      factors.copyFactor(factor.layer(), factor.side(), tensor.address());
      MemorySegment host = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      tensor.copyTo(host);
      return host.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private void takeGradient(TrainingFactors factors, Trained factor, float[] gradient) {
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F32, gradient.length)) {
      tensor.copyFrom(arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradient));
      factors.takeGradient(factor.layer(), factor.side(), tensor.address());
      device.synchronize(); // the tensor is freed next
    }
  }

  /**
   * Activates adapters of a pool in turns, with room for the factors of one less than there are, so
   * that each of them is evicted.
   *
   * @param alike at least two adapters that can share a plan
   * @param dtype type of the factors
   * @throws LimitExceededException if the CPU refuses an adapter
   * @throws DigestMismatchException if the GPU computes another digest than the CPU
   */
  public void comparePool(List<Adapter> alike, DType dtype)
      throws LimitExceededException, DigestMismatchException {
    Map<String, AdapterFile> files = new LinkedHashMap<>();
    for (Adapter adapter : alike) {
      files.put("n" + files.size(), Reconstructor.standard().seal(adapter));
    }
    try (AdapterPlan plan = AdapterPlan.of(device, alike.getFirst());
        DeviceAdapterPool pool =
            DeviceAdapterPool.open(plan, dtype, files.size(), files.size() - 1)) {
      pool.put(files);
      for (int round = 0; round < 2; round++) {
        for (Map.Entry<String, AdapterFile> file : files.entrySet()) {
          try (DeviceAdapterPool.Lease lease = pool.activate(file.getKey())) {
            comparison.compare(
                Objects.requireNonNull(file.getValue()).adapter(), lease.factors(), 0);
          }
        }
      }
      comparison.count(
          pool.activations() == 2L * files.size(), 0, "activations of a pool that evicts");
    }
  }
}
