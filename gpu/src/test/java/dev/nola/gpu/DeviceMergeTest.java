package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.gpu.check.Comparison;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.gpu.check.WorkComparison;
import dev.nola.reconstruct.MergeOverflowException;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares merged weights from a device with those from the CPU, bit by bit. */
class DeviceMergeTest extends DeviceTest {
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
    for (long order : ORDERS) {
      driver.set("order", order);
      Comparison comparison = new Comparison(device);
      new WorkComparison(device, comparison).compareMerges(adapters, dtype);
      assertThat(comparison.wrong()).as("wrong tensors, order %d", order).isZero();
    }
  }

  private void merge(DeviceTensor tensor, List<DeviceMerge.Term> terms) {
    try (DeviceMerge merge = DeviceMerge.open(device)) {
      merge.add(tensor, tensor, terms);
      merge.finish();
    }
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
