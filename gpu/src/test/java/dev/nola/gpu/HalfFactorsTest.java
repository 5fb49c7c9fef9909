package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whether factors in f16 are finite, and their products are ΔW. */
class HalfFactorsTest extends DeviceTest {
  private static final int COUNT = 128;
  private static final int RANK = 8;
  private static final int ROWS = 96;
  private static final int COLS = 80;

  /** Of a product: every element of a factor is rounded to 11 bits. */
  private static final double TOLERANCE = 0x1p-11;

  @ParameterizedTest
  @EnumSource(Generator.class)
  void pool_ofHalfFactors_hasTheProductsOfTheCpu(Generator generator) throws Exception {
    // Adapters of one plan need not have ΔW of one magnitude.
    List<Adapter> adapters =
        List.of(adapter(generator, 1e-3), adapter(generator, 1e-5), adapter(generator, 0.1));
    try (AdapterPlan plan = AdapterPlan.of(device, adapters.getFirst());
        DeviceAdapterPool pool = DeviceAdapterPool.open(plan, DType.F16, 3, 1)) {
      for (int n = 0; n < adapters.size(); n++) {
        pool.put(Map.of("n" + n, Reconstructor.standard().seal(adapters.get(n))));
      }
      for (int n = 0; n < adapters.size(); n++) {
        try (DeviceAdapterPool.Lease lease = pool.activate("n" + n)) {
          requireProducts(adapters.get(n), lease.factors());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void reconstruct_inHalf_hasTheProductsOfTheCpu(Generator generator) throws Exception {
    Adapter adapter = adapter(generator, 1e-3);
    try (AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F16)) {
      requireProducts(adapter, factors);
    }
  }

  @Test
  void balanced_zeroScales_keepsSideBFinite() throws Exception {
    Adapter adapter = adapter(Generator.UNIFORM24, 0);
    try (AdapterPlan plan = AdapterPlan.of(device, adapter);
        DeviceFactors factors = plan.reconstruct(adapter, DType.F16)) {
      assertThat(largest(halves(factors, 0, Side.A))).isZero();
      assertThat(largest(halves(factors, 0, Side.B))).isLessThan(2);
    }
  }

  @Test
  void balanced_otherTypes_haveNoMultipliers() {
    Adapter adapter = adapter(Generator.UNIFORM8, 1e-3);
    assertThat(ElementType.balanced(DType.F32, adapter)).isEqualTo(ElementType.of(DType.F32));
    assertThat(ElementType.balanced(DType.BF16, adapter)).isEqualTo(ElementType.of(DType.BF16));
  }

  /** Two layers in the low-rank form, whose ΔW has a magnitude, and one in the direct form. */
  private static Adapter adapter(Generator generator, double magnitude) {
    SplittableRandom random = new SplittableRandom(3);
    double largest = generator.sumBound(1, 1);
    int ofA = generator == Generator.IDENTITY ? ROWS * RANK : COUNT;
    int ofB = generator == Generator.IDENTITY ? COLS * RANK : COUNT;
    int ofDirect = generator == Generator.IDENTITY ? ROWS * COLS : COUNT;
    double sum = largest * (generator == Generator.IDENTITY ? 8 : 8 * Math.sqrt(COUNT));
    float scale = (float) (magnitude / (sum * sum * Math.sqrt(RANK)));
    int stream = generator == Generator.IDENTITY ? 0 : 1;
    return Adapter.builder()
        .generator(generator)
        .seed(generator == Generator.IDENTITY ? 0 : 42)
        .layer(
            Layer.ofMatrix(
                "a",
                ROWS,
                COLS,
                stream,
                scale,
                new LowRank(RANK, codes(random, ofA), codes(random, ofB))))
        .layer(
            Layer.ofMatrix(
                "b",
                ROWS,
                COLS,
                2 * stream,
                (float) (0.01 / sum),
                new Direct(codes(random, ofDirect))))
        .layer(
            Layer.ofMatrix(
                "c",
                ROWS,
                COLS,
                3 * stream,
                scale / 8,
                new LowRank(RANK, codes(random, ofA), codes(random, ofB))))
        .build();
  }

  private static Codes codes(SplittableRandom random, int count) {
    return Codes.of(4, random.ints(count, 0, 16).toArray());
  }

  private static void requireProducts(Adapter adapter, DeviceFactors factors)
      throws LimitExceededException {
    List<Factors> expected = Reconstructor.standard().factors(adapter);
    for (int layer = 0; layer < expected.size(); layer++) {
      float[] a = halves(factors, layer, Side.A);
      float[] b = halves(factors, layer, Side.B);
      double difference = 0;
      double norm = 0;
      for (int row = 0; row < ROWS; row++) {
        double[] delta = expected.get(layer).deltaRow(row);
        for (int col = 0; col < COLS; col++) {
          double actual = b.length == 0 ? a[row * COLS + col] : product(a, b, row, col);
          difference += Math.pow(actual - delta[col], 2);
          norm += Math.pow(delta[col], 2);
        }
      }
      assertThat(Math.sqrt(difference / norm)).as("layer %d", layer).isLessThan(TOLERANCE);
    }
  }

  private static double product(float[] a, float[] b, int row, int col) {
    double sum = 0;
    for (int t = 0; t < RANK; t++) {
      sum += (double) a[row * RANK + t] * b[t * COLS + col];
    }
    return sum;
  }

  private static float[] halves(DeviceFactors factors, int layer, Side side) {
    ByteBuffer bytes = ByteBuffer.wrap(factors.copy(0, layer, side)).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Short.BYTES];
    for (int e = 0; e < values.length; e++) {
      values[e] = Float.float16ToFloat(bytes.getShort());
      assertThat(values[e]).as("layer %d, side %s, element %d", layer, side, e).isFinite();
    }
    return values;
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }
}
