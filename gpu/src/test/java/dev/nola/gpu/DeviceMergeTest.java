package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Slice;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.MergeOverflowException;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares merged weights from a device with those from the CPU, bit by bit. */
class DeviceMergeTest extends DeviceTest {
  private static final double[] WEIGHTS = {0.7, -1.3, 1};

  @ParameterizedTest
  @EnumSource(DType.class)
  void merge_oneAdapter_sameBits(DType dtype) throws LimitExceededException {
    requireSameBits(SampleAdapters.toMerge(1), dtype);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void merge_severalAdapters_sameBits(DType dtype) throws LimitExceededException {
    requireSameBits(SampleAdapters.toMerge(3), dtype);
  }

  private void requireSameBits(List<Adapter> adapters, DType dtype) throws LimitExceededException {
    List<List<Factors>> onCpu = new ArrayList<>();
    for (Adapter adapter : adapters) {
      onCpu.add(Reconstructor.standard().factors(adapter));
    }
    for (long order : ORDERS) {
      driver.set("order", order);
      try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst());
          ResidentAdapters resident = plan.upload(adapters);
          DeviceFactors factors = plan.allocate(DType.F32, adapters.size())) {
        plan.reconstruct(resident, 0, adapters.size(), factors);
        for (int i = 0; i < onCpu.getFirst().size(); i++) {
          int layer = i;
          List<DeviceMerge.Term> terms = new ArrayList<>();
          List<WeightedDelta> deltas = new ArrayList<>();
          for (int n = 0; n < adapters.size(); n++) {
            terms.add(new DeviceMerge.Term(factors, n, layer, WEIGHTS[n]));
            deltas.add(new WeightedDelta(onCpu.get(n).get(layer), WEIGHTS[n]));
          }
          requireSameBits(adapters.getFirst().layers().get(layer), dtype, terms, deltas);
        }
      }
    }
  }

  private void requireSameBits(
      Layer layer, DType dtype, List<DeviceMerge.Term> terms, List<WeightedDelta> deltas) {
    int rows = layer.shape().get(0);
    int cols = layer.shape().get(1);
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, dtype, (long) rows * cols)) {
      MemorySegment weights = weights(arena, dtype, rows * cols);
      tensor.copyFrom(weights);
      merge(tensor, terms);
      MemorySegment actual = arena.allocate(weights.byteSize(), 8);
      tensor.copyTo(actual);

      // The CPU merges a slice as a tensor of its own.
      Slice slice = layer.slice() == null ? new Slice(0, 0, rows) : layer.slice();
      MemorySegment part = arena.allocate(layer.elements() * dtype.bytes(), 8);
      copySlice(weights, part, slice, new int[] {rows, cols}, dtype.bytes(), true);
      Merge.merge(Kernels.scalar(), dtype, part, part, 0, deltas);
      copySlice(weights, part, slice, new int[] {rows, cols}, dtype.bytes(), false);
      assertThat(actual.mismatch(weights)).as(layer.tensor()).isEqualTo(-1);
    }
  }

  private void merge(DeviceTensor tensor, List<DeviceMerge.Term> terms) {
    try (DeviceMerge merge = DeviceMerge.open(device)) {
      merge.add(tensor, tensor, terms);
      merge.finish();
    }
  }

  private static void copySlice(
      MemorySegment tensor, MemorySegment part, Slice slice, int[] shape, int bytes, boolean out) {
    long next = 0;
    for (int i = 0; i < shape[0]; i++) {
      for (int j = 0; j < shape[1]; j++) {
        int index = slice.dim() == 0 ? i : j;
        if (index >= slice.start() && index < slice.end()) {
          long element = (long) (i * shape[1] + j) * bytes;
          MemorySegment.copy(
              out ? tensor : part,
              out ? element : next,
              out ? part : tensor,
              out ? next : element,
              bytes);
          next += bytes;
        }
      }
    }
  }

  /** Weights of every kind, also subnormal, infinite and not a number. */
  private static MemorySegment weights(Arena arena, DType dtype, int count) {
    SplittableRandom random = new SplittableRandom(5);
    MemorySegment weights = arena.allocate((long) count * dtype.bytes(), 8);
    for (int e = 0; e < count; e++) {
      float value = (float) (random.nextDouble(-1, 1) * Math.scalb(1.0, random.nextInt(-30, 3)));
      switch (dtype) {
        case F32 -> weights.setAtIndex(ValueLayout.JAVA_FLOAT, e, value);
        case F16 -> weights.setAtIndex(ValueLayout.JAVA_SHORT, e, Float.floatToFloat16(value));
        case BF16 ->
            weights.setAtIndex(
                ValueLayout.JAVA_SHORT, e, (short) (Float.floatToRawIntBits(value) >>> 16));
      }
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

  @Test
  void merge_weightBeyondF16_overflowOfFirstElement() {
    Adapter adapter = SampleAdapters.toMerge(1).getFirst();
    Layer layer = adapter.layers().getFirst();
    try (Arena arena = Arena.ofConfined();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F16, layer.elements())) {
      tensor.copyFrom(arena.allocate(layer.elements() * 2, 8));
      assertThatExceptionOfType(MergeOverflowException.class)
          .isThrownBy(() -> merge(tensor, List.of(new DeviceMerge.Term(factors, 0, 0, 1e9))))
          .satisfies(e -> assertThat(e.element()).isZero());
    }
  }

  /** The sum is not a number, whose rounding to bf16 would look finite. */
  @ParameterizedTest
  @EnumSource(DType.class)
  void merge_infinitiesOfBothSigns_overflow(DType dtype) {
    Adapter adapter = SampleAdapters.toMerge(1).getFirst();
    long elements = adapter.layers().getFirst().elements();
    try (Arena arena = Arena.ofConfined();
        AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
        DeviceTensor tensor = DeviceTensor.allocate(device, dtype, elements)) {
      tensor.copyFrom(arena.allocate(elements * dtype.bytes(), 8));
      assertThatExceptionOfType(MergeOverflowException.class)
          .isThrownBy(
              () ->
                  merge(
                      tensor,
                      List.of(
                          new DeviceMerge.Term(factors, 0, 0, Double.MAX_VALUE),
                          new DeviceMerge.Term(factors, 0, 0, -Double.MAX_VALUE))));
    }
  }

  @Test
  void merge_tensorOfOtherSize_refused() {
    Adapter adapter = SampleAdapters.toMerge(1).getFirst();
    try (AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F16, 7)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> merge(tensor, List.of(new DeviceMerge.Term(factors, 0, 0, 1))))
          .withMessageContaining("7 elements");
    }
  }
}
