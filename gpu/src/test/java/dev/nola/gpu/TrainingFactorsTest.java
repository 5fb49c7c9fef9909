package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.kernel.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares factors and products of a step on a device with those of the scalar kernel. */
class TrainingFactorsTest extends DeviceTest {
  @ParameterizedTest
  @EnumSource(Generator.class)
  void step_hasTheBitsOfTheCpu_andAnotherOneToo(Generator generator) {
    Adapter adapter = SampleAdapters.small(generator).getFirst();
    SplittableRandom random = new SplittableRandom(5);
    try (TrainingFactors factors = TrainingFactors.open(device, adapter)) {
      for (int step = 0; step < 2; step++) {
        requireSameBits(adapter, factors, random);
      }
    }
  }

  @Test
  void codesOfAnotherNumberOrWidth_areRefused() {
    Adapter adapter = SampleAdapters.small(Generator.SRHT).getFirst();
    Codes codes = Objects.requireNonNull(adapter.layers().getFirst().codes(Side.A));
    try (TrainingFactors factors = TrainingFactors.open(device, adapter)) {
      for (Codes other :
          List.of(
              Codes.of(codes.bits(), new int[codes.count() + 1]),
              Codes.of(codes.bits() + 1, new int[codes.count()]))) {
        assertThatThrownBy(() -> factors.set(0, Side.A, other, 1))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage(
                "wrong codes of side A of layer 0: %d of %d bits; must be %d of %d bits",
                other.count(), other.bits(), codes.count(), codes.bits());
      }
    }
  }

  @Test
  void tooLittleMemory_leavesNothingAllocated() {
    Adapter adapter = SampleAdapters.small(Generator.SRHT).getFirst();
    long memory = 0;
    int failures = 0;
    try {
      while (true) {
        memory += 8;
        driver.set("memory", memory);
        try {
          TrainingFactors.open(device, adapter).close();
          break;
        } catch (CudaException e) {
          assertThat(e).hasMessageStartingWith("too little GPU memory: ");
          assertThat(driver.allocations()).as("with %d bytes", memory).isZero();
          failures++;
        }
      }
    } finally {
      driver.set("memory", 4L << 30);
    }
    assertThat(failures).isPositive();
  }

  private void requireSameBits(Adapter adapter, TrainingFactors factors, SplittableRandom random) {
    int layers = adapter.layers().size();
    Codes[][] codes = new Codes[layers][2];
    float[][] scales = new float[layers][2];
    for (int i = 0; i < layers; i++) {
      for (Side side : Side.values()) {
        Codes sample = adapter.layers().get(i).codes(side);
        if (sample != null) {
          int[] values = random.ints(sample.count(), 0, 1 << sample.bits()).toArray();
          codes[i][side.ordinal()] = Codes.of(sample.bits(), values);
          scales[i][side.ordinal()] = (float) random.nextDouble(0.1, 1);
          factors.set(i, side, codes[i][side.ordinal()], scales[i][side.ordinal()]);
        }
      }
    }
    factors.reconstruct();
    for (int i = 0; i < layers; i++) {
      for (Side side : Side.values()) {
        Layer layer = adapter.layers().get(i);
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        if (basis == null) {
          continue;
        }
        float[] expected = new float[basis.length()];
        Kernels.scalar()
            .combine(basis, codes[i][side.ordinal()].values(), scales[i][side.ordinal()], expected);
        assertThat(factor(factors, i, side)).as("layer %d, %s", i, side).isEqualTo(expected);

        float[] gradient = new float[basis.length()];
        for (int e = 0; e < gradient.length; e++) {
          gradient[e] = (float) random.nextDouble(-1, 1);
        }
        takeGradient(factors, i, side, gradient);
        factors.project();
        double[] products = new double[codes[i][side.ordinal()].count()];
        Kernels.scalar().project(basis, gradient, products);
        assertThat(factors.products(i, side)).as("layer %d, %s", i, side).containsExactly(products);
      }
    }
  }

  private float[] factor(TrainingFactors factors, int layer, Side side) {
    int length = factors.length(layer, side);
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F32, length)) {
      factors.copyFactor(layer, side, tensor.address());
      MemorySegment host = arena.allocate(ValueLayout.JAVA_FLOAT, length);
      tensor.copyTo(host);
      return host.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private void takeGradient(TrainingFactors factors, int layer, Side side, float[] gradient) {
    try (Arena arena = Arena.ofConfined();
        DeviceTensor tensor = DeviceTensor.allocate(device, DType.F32, gradient.length)) {
      tensor.copyFrom(arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradient));
      factors.takeGradient(layer, side, tensor.address());
    }
  }
}
