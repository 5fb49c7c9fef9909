package dev.nola.quantize;

import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import java.util.Arrays;

/**
 * Quantizes coefficients to the odd multiples of a step: −(2^b−1)·step … −step, step …
 * (2^b−1)·step. The two quantizers differ in how they choose the step.
 */
public enum Quantizer {
  /** Chooses the step that makes the largest coefficient the largest level: nothing is clipped. */
  ABSMAX {
    @Override
    double step(double[] magnitudes, double largest, int bits) {
      return largest / ((1 << bits) - 1);
    }
  },

  /**
   * Chooses the step with the least ‖x − step·v‖₂: the global optimum up to {@value #MAX_SWEEP}
   * level changes (k·(2^(b−1) − 1), enough for any practical k up to 8 bits). With more levels
   * there is little to gain, and it is the local optimum next to the step of {@link #ABSMAX}.
   */
  LEAST_SQUARES {
    @Override
    double step(double[] magnitudes, double largest, int bits) {
      long levelChanges = (long) magnitudes.length * ((1 << bits - 1) - 1);
      return levelChanges <= MAX_SWEEP
          ? sweptStep(magnitudes, bits)
          : refinedStep(magnitudes, largest, bits);
    }
  };

  private static final int MAX_SWEEP = 1 << 22;
  private static final int REFINEMENTS = 32;

  /** Returns the step for magnitudes |x| that are not all zero. */
  abstract double step(double[] magnitudes, double largest, int bits);

  /**
   * Quantizes coefficients.
   *
   * @param coefficients trained values, at least one, all finite
   * @param bits width of a code, 1 to 16
   * @return the codes, the step and the error
   * @throws IllegalArgumentException if the array is empty, a coefficient is not finite, or the
   *     width is out of range
   */
  public Quantized quantize(float[] coefficients, int bits) {
    Levels levels = round(coefficients, bits);
    double squaredError = 0;
    double squaredNorm = 0;
    for (int j = 0; j < coefficients.length; j++) {
      double x = coefficients[j];
      double difference = x - levels.step() * levels.values()[j];
      squaredError += difference * difference;
      squaredNorm += x * x;
    }
    double error = squaredNorm == 0 ? 0 : Math.sqrt(squaredError / squaredNorm);
    return new Quantized(levels.codes(bits), levels.step(), error);
  }

  /**
   * Rounds coefficients as {@link #quantize} does.
   *
   * @param coefficients trained values, at least one, all finite
   * @param bits width of a code, 1 to 16
   * @return one level a coefficient
   * @throws IllegalArgumentException as for {@link #quantize}
   */
  public Levels round(float[] coefficients, int bits) {
    if (bits < 1 || bits > Generator.MAX_BITS) {
      throw new IllegalArgumentException(
          "invalid code width: %d bits; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
    }
    if (coefficients.length == 0) {
      throw new IllegalArgumentException("no coefficients to quantize; needs at least one");
    }
    double[] magnitudes = new double[coefficients.length];
    double largest = 0;
    for (int j = 0; j < coefficients.length; j++) {
      if (!Float.isFinite(coefficients[j])) {
        throw new IllegalArgumentException(
            "invalid coefficient %d: %s; must be finite".formatted(j, coefficients[j]));
      }
      magnitudes[j] = Math.abs((double) coefficients[j]);
      largest = Math.max(largest, magnitudes[j]);
    }
    int[] values = new int[coefficients.length];
    if (largest == 0) {
      Arrays.fill(values, 1);
      return new Levels(values, 0);
    }
    double step = step(magnitudes, largest, bits);
    for (int j = 0; j < coefficients.length; j++) {
      values[j] = nearestLevel(coefficients[j] / step, bits);
    }
    return new Levels(values, step);
  }

  /**
   * Returns the scale of a layer: the product of both sides' steps and of everything else that
   * multiplies ΔW (SPEC.md section 5.1). A product too small for a scale becomes 0.
   *
   * @param parts the factors of the product
   * @return 0, or {@link Layer#MIN_SCALE} to {@link Layer#MAX_SCALE}
   * @throws IllegalArgumentException if the product is negative, not a number or larger than {@link
   *     Layer#MAX_SCALE}
   */
  public static float scale(double... parts) {
    double product = 1;
    for (double part : parts) {
      product *= part;
    }
    if (!(product >= 0 && product <= Layer.MAX_SCALE)) {
      throw new IllegalArgumentException(
          "invalid scale: %s; must be 0 to %s"
              .formatted(product, Float.toHexString(Layer.MAX_SCALE)));
    }
    float scale = (float) product;
    return scale < Layer.MIN_SCALE ? 0 : scale;
  }

  /** Returns the odd integer next to x/step: levels change at the even integers. */
  private static int nearestLevel(double ratio, int bits) {
    int half = 1 << bits - 1;
    return 2 * (int) Math.clamp(Math.floor(ratio / 2), -half, half - 1) + 1;
  }

  /**
   * Lowers the step from infinity. Between two changes of a level the magnitudes q are fixed and
   * the best step for them is P/Q with P = Σ q·|x| and Q = Σ q², at an error of Σ x² − P²/Q: the
   * largest P²/Q wins.
   */
  private static double sweptStep(double[] magnitudes, int bits) {
    int changes = (1 << bits - 1) - 1;
    double p = 0;
    double q = magnitudes.length;
    for (double magnitude : magnitudes) {
      p += magnitude;
    }
    double bestScore = p * p / q;
    double bestStep = p / q;
    for (long change : levelChanges(magnitudes, changes)) {
      int number = (int) change;
      p += 2 * magnitudes[number / changes];
      q += 8.0 * (number % changes + 1); // (2m + 1)² − (2m − 1)²
      if (p * p / q > bestScore) {
        bestScore = p * p / q;
        bestStep = p / q;
      }
    }
    return bestStep;
  }

  /**
   * Returns the changes of levels, that at the largest step first. At the step |x|/2m, a magnitude
   * |x| changes from 2m − 1 to 2m + 1 steps; its change is number index·changes + m − 1, in the low
   * half. The high half has the step in f32, descending: millions of numbers are sorted faster than
   * objects, in each step of a training, and changes so close have as good as equal errors.
   */
  private static long[] levelChanges(double[] magnitudes, int changes) {
    long[] order = new long[magnitudes.length * changes];
    int count = 0;
    for (int j = 0; j < magnitudes.length; j++) {
      if (magnitudes[j] > 0) {
        for (int m = 1; m <= changes; m++) {
          float step = (float) (magnitudes[j] / (2.0 * m));
          long descending = Integer.MAX_VALUE - Float.floatToIntBits(step);
          order[count++] = descending << 32 | (long) j * changes + m - 1;
        }
      }
    }
    order = Arrays.copyOf(order, count);
    Arrays.sort(order);
    return order;
  }

  /**
   * Alternates between the best levels for a step and the best step for the levels, from the step
   * of absmax.
   */
  private static double refinedStep(double[] magnitudes, double largest, int bits) {
    double step = ABSMAX.step(magnitudes, largest, bits);
    for (int i = 0; i < REFINEMENTS; i++) {
      double p = 0;
      double q = 0;
      for (double magnitude : magnitudes) {
        double v = nearestLevel(magnitude / step, bits);
        p += v * magnitude;
        q += v * v;
      }
      if (p / q == step) {
        break;
      }
      step = p / q;
    }
    return step;
  }
}
