package dev.nola.trainer.method;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernel;
import dev.nola.quantize.Levels;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;

/**
 * One side of a layer: a factor {@code F = Σᵢ cᵢ·bᵢ / (√k·σ)}, with σ the root mean square of a
 * basis integer. Thus normalised, an element of F is as large as a coefficient for any k and
 * generator, and one learning rate suits all. Of the identity basis √k·σ is 1: an element of F is a
 * coefficient.
 */
final class BasisSide {
  /** Width of codes that makes no difference to training. */
  static final int TRAINING_BITS = 16;

  /** Largest array that Java allocates, in elements. */
  static final long MAX_ARRAY = Integer.MAX_VALUE - 8L;

  /** Elements of a basis vector that are made at a time: whole blocks of every generator. */
  private static final int STRIP = 1 << 13;

  private final Basis basis;
  private final Parameter coefficients;
  private final double norm;

  BasisSide(Basis basis, Parameter coefficients) {
    this.basis = basis;
    this.coefficients = coefficients;
    this.norm = norm(basis.generator(), coefficients.values().length);
  }

  /** Returns 1/(√k·σ); of odd integers in ±(2ⁿ−1), σ is √((4ⁿ−1)/3), and of k unit vectors 1/√k. */
  private static double norm(Generator generator, int k) {
    return switch (generator) {
      case UNIFORM24 -> 1 / (Math.sqrt(k) * Math.sqrt((0x1p48 - 1) / 3));
      case UNIFORM8 -> 1 / (Math.sqrt(k) * Math.sqrt((0x1p16 - 1) / 3));
      case RADEMACHER, SRHT -> 1 / Math.sqrt(k);
      case IDENTITY -> 1;
    };
  }

  Parameter coefficients() {
    return coefficients;
  }

  /** Returns 1/(√k·σ). */
  double norm() {
    return norm;
  }

  Basis basis() {
    return basis;
  }

  /** Returns the codes that the coefficients are rounded to. */
  Quantized quantized(int bits) {
    return quantizer(bits).quantize(coefficients.values(), bits);
  }

  private Levels levels(int bits) {
    return quantizer(bits).round(coefficients.values(), bits);
  }

  /**
   * Returns how the coefficients are rounded: training rounds to {@value #TRAINING_BITS} bits, or
   * to the file's width if it is quantization-aware (paper, section 3.2).
   */
  private static Quantizer quantizer(int bits) {
    return bits == TRAINING_BITS ? Quantizer.ABSMAX : Quantizer.LEAST_SQUARES;
  }

  /** Returns the coefficients rounded to codes of a width, times a gain. */
  float[] rounded(int bits, double gain) {
    Levels levels = levels(bits);
    float[] rounded = new float[levels.values().length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) (levels.values()[i] * levels.step() * gain);
    }
    return rounded;
  }

  /**
   * Returns the whole basis, a matrix of k×len: b_i[e]/(√k·σ).
   *
   * @throws IllegalArgumentException if it does not fit into one array
   */
  float[] stored() {
    int k = coefficients.values().length;
    int length = basis.length();
    long elements = (long) k * length;
    if (elements > MAX_ARRAY) {
      throw new IllegalArgumentException(
          "%s: a stored basis of %d vectors of %d elements has %d; must be at most %d"
              .formatted(coefficients.name(), k, length, elements, MAX_ARRAY));
    }
    float[] stored = new float[(int) elements];
    int[] integers = new int[Math.min(length, STRIP)];
    for (int i = 0; i < k; i++) {
      for (int start = 0; start < length; start += STRIP) {
        int count = Math.min(STRIP, length - start);
        basis.vector(i, start, count, integers);
        for (int e = 0; e < count; e++) {
          stored[i * length + start + e] = (float) (integers[e] * norm);
        }
      }
    }
    return stored;
  }

  /**
   * Computes the factor of the coefficients rounded to codes of a width, times a gain.
   *
   * @param factor receives its elements, row-major
   */
  void factor(Kernel kernel, int bits, double gain, float[] factor) {
    Levels levels = levels(bits);
    kernel.combine(basis, levels.values(), scale(levels.step(), gain), factor);
  }

  /** Returns what the sum of the basis, weighted with codes, is multiplied by. */
  float scale(double step, double gain) {
    return (float) (step * norm * gain);
  }

  /**
   * Adds the gradient that follows from the factor's to the coefficients'. Rounding to codes counts
   * as the identity (straight-through estimator).
   */
  void backward(Kernel kernel, float[] gradientOfFactor, double gain) {
    double[] products = new double[coefficients.values().length];
    kernel.project(basis, gradientOfFactor, products);
    backward(products, gain);
  }

  /** Adds the gradient that follows from the basis's products with the factor's. */
  void backward(double[] products, double gain) {
    float[] gradient = coefficients.gradient();
    for (int i = 0; i < products.length; i++) {
      gradient[i] += (float) (products[i] * norm * gain);
    }
  }
}
