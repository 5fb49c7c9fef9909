package dev.nola.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nola.cases.PropertyTest;
import dev.nola.cases.Range;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class QuantizerTest {
  private static float[] gaussian(long seed, int count) {
    Random random = new Random(seed);
    float[] x = new float[count];
    for (int j = 0; j < count; j++) {
      x[j] = (float) random.nextGaussian();
    }
    return x;
  }

  private static double squaredError(float[] x, double step, int bits) {
    int highest = (1 << bits) - 1;
    double error = 0;
    for (float value : x) {
      double v = Math.clamp(2 * Math.floor(value / step / 2) + 1, -highest, highest);
      error += (value - step * v) * (value - step * v);
    }
    return error;
  }

  @PropertyTest(cases = 300)
  void absmaxClipsNothingAndErrsByAtMostOneStep(
      long seed, @Range(min = 1, max = 50) int count, @Range(min = 1, max = 16) int bits) {
    float[] x = gaussian(seed, count);
    Quantized quantized = Quantizer.ABSMAX.quantize(x, bits);
    double[] back = quantized.dequantized();
    for (int j = 0; j < count; j++) {
      assertThat(back[j]).isCloseTo(x[j], within(quantized.step() * (1 + 1e-9)));
    }
  }

  @PropertyTest(cases = 200)
  void noStepHasALowerErrorThanLeastSquares(
      long seed, @Range(min = 1, max = 60) int count, @Range(min = 1, max = 8) int bits) {
    float[] x = gaussian(seed, count);
    Quantized quantized = Quantizer.LEAST_SQUARES.quantize(x, bits);
    double best = squaredError(x, quantized.step(), bits);
    double largest = 0;
    for (float value : x) {
      largest = Math.max(largest, Math.abs(value));
    }
    // Where x fits the levels, the error is nothing but rounding, and any step may have less of it.
    double rounding = 1e-24 * largest * largest;
    for (int i = 1; i <= 4000; i++) {
      double step = largest * i / 3000;
      assertThat(squaredError(x, step, bits)).isGreaterThanOrEqualTo(best * (1 - 1e-9) - rounding);
    }
    assertThat(quantized.error())
        .isLessThanOrEqualTo(Quantizer.ABSMAX.quantize(x, bits).error() + 1e-12);
  }

  @PropertyTest(cases = 20)
  void leastSquaresIsNeverWorseThanAbsmaxAtManyBits(long seed) {
    float[] x = gaussian(seed, 1000);
    assertThat(Quantizer.LEAST_SQUARES.quantize(x, 14).error())
        .isLessThanOrEqualTo(Quantizer.ABSMAX.quantize(x, 14).error());
  }

  @PropertyTest(cases = 100)
  void reportedErrorIsThatOfTheCodes(long seed, Quantizer quantizer) {
    float[] x = gaussian(seed, 33);
    Quantized quantized = quantizer.quantize(x, 3);
    double[] back = quantized.dequantized();
    double error = 0;
    double norm = 0;
    for (int j = 0; j < x.length; j++) {
      error += (x[j] - back[j]) * (x[j] - back[j]);
      norm += (double) x[j] * x[j];
    }
    assertThat(quantized.error()).isCloseTo(Math.sqrt(error / norm), within(1e-12));
  }

  @Test
  void coefficientsOnLevelsAreQuantizedWithoutError() {
    float[] x = {-1.5f, -0.5f, 0.5f, 1.5f};
    for (Quantizer quantizer : Quantizer.values()) {
      Quantized quantized = quantizer.quantize(x, 2);
      assertThat(quantized.error()).isZero();
      assertThat(quantized.codes().codes()).containsExactly(0, 1, 2, 3);
      assertThat(quantized.step()).isEqualTo(0.5);
    }
  }

  @Test
  void zeroVectorHasScaleZero() {
    for (Quantizer quantizer : Quantizer.values()) {
      Quantized quantized = quantizer.quantize(new float[5], 4);
      assertThat(quantized.step()).isZero();
      assertThat(quantized.error()).isZero();
      assertThat(Quantizer.scale(quantized.step(), 3)).isZero();
    }
  }

  @Test
  void scaleIsTheRoundedProductOrZeroOrRefused() {
    assertThat(Quantizer.scale(0.5, 3, 0.1)).isEqualTo((float) (0.5 * 3 * 0.1));
    assertThat(Quantizer.scale(0x1p-100, 0x1p-100)).isZero();
    assertThatThrownBy(() -> Quantizer.scale(0x1p75))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be 0 to 0x1.0p74");
    assertThatThrownBy(() -> Quantizer.scale(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Quantizer.scale(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void invalidInputIsRefusedWithTheRule() {
    float[] x = {1, Float.NaN};
    assertThatThrownBy(() -> Quantizer.ABSMAX.quantize(x, 4))
        .hasMessage("invalid coefficient 1: NaN; must be finite");
    assertThatThrownBy(() -> Quantizer.ABSMAX.quantize(new float[] {1}, 17))
        .hasMessage("invalid code width: 17 bits; must be 1 to 16");
    assertThatThrownBy(() -> Quantizer.ABSMAX.quantize(new float[0], 4))
        .hasMessage("no coefficients to quantize; needs at least one");
    float[] extremes = {Float.MIN_VALUE, -Float.MAX_VALUE};
    assertThat(Arrays.stream(Quantizer.LEAST_SQUARES.quantize(extremes, 4).dequantized()))
        .allMatch(Double::isFinite);
  }
}
