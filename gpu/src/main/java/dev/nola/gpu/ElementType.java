package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.reconstruct.Factors;
import java.util.Locale;

/**
 * How factors are stored on the device. The elements of side B are integers and those of side A
 * have the whole scale, so that in f16 side B may be infinite and side A subnormal: powers of two
 * that cancel each other bring both into range ({@link #balanced}), and A·B stays ΔW. Layers in the
 * direct form, whose side A is ΔW itself, are stored without a multiplier.
 *
 * @param dtype the type of an element
 * @param multiplierA multiplies the elements of side A of low-rank layers before they are rounded
 *     to f16 or bf16; a power of two, 1 for f32
 * @param multiplierB the same for side B
 */
public record ElementType(DType dtype, float multiplierA, float multiplierB) {
  /**
   * Checks the multipliers.
   *
   * @throws IllegalArgumentException if one is not a power of two, or not 1 for f32
   */
  public ElementType {
    requirePowerOfTwo(multiplierA);
    requirePowerOfTwo(multiplierB);
    if (dtype == DType.F32 && (multiplierA != 1 || multiplierB != 1)) {
      throw new IllegalArgumentException(
          "invalid multipliers of f32 factors: %s and %s; must be 1"
              .formatted(multiplierA, multiplierB));
    }
  }

  /**
   * Returns the type without multipliers. In f16, side B of most adapters has infinite elements
   * then.
   *
   * @param dtype the type of an element
   * @return the type
   */
  public static ElementType of(DType dtype) {
    return new ElementType(dtype, 1, 1);
  }

  /**
   * Returns the type in which an adapter's factors are finite: in f16 side A is multiplied by 2ˢ
   * and side B by 2⁻ˢ, so that the largest elements which scales, numbers and widths of codes allow
   * are alike in both. They are finite if their products are below 2²⁷. In f32 and bf16, whose
   * range suffices, the multipliers are 1.
   *
   * @param dtype the type of an element
   * @param adapter the adapter; others of its plan may need other multipliers, as their scales
   *     differ
   * @return the type
   */
  public static ElementType balanced(DType dtype, Adapter adapter) {
    if (dtype != DType.F16) {
      return of(dtype);
    }
    double largestA = 0;
    double largestB = 0;
    for (Layer layer : adapter.layers()) {
      Codes a = layer.codes(Side.A);
      Codes b = layer.codes(Side.B);
      if (a != null && b != null) {
        largestA = Math.max(largestA, layer.scale() * bound(adapter, a));
        largestB = Math.max(largestB, bound(adapter, b));
      }
    }
    if (largestB == 0) {
      return of(dtype); // no layer has a side B
    }
    // A side A of zeros takes any multiplier; side B must not be infinite even then, as 0·∞ is NaN.
    double heldA = largestA == 0 ? 1 / largestB : largestA;
    int exponent = Factors.balancingExponent(heldA, largestB);
    return new ElementType(dtype, Math.scalb(1f, exponent), Math.scalb(1f, -exponent));
  }

  private static double bound(Adapter adapter, Codes codes) {
    return adapter.generator().sumBound(codes.count(), codes.bits());
  }

  private static void requirePowerOfTwo(float multiplier) {
    if (!(multiplier > 0)
        || Float.isInfinite(multiplier)
        || Math.scalb(1f, Math.getExponent(multiplier)) != multiplier) {
      throw new IllegalArgumentException(
          "invalid multiplier: "
              + multiplier
              + "; must be a power of two, so that it rounds nothing");
    }
  }

  /** Returns the end of the names of kernels that store this type. */
  String suffix() {
    return "_" + dtype.name().toLowerCase(Locale.ROOT);
  }
}
