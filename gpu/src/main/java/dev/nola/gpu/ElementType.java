package dev.nola.gpu;

import dev.nola.format.DType;
import java.util.Locale;

/**
 * How factors are stored on the device. The elements of side B are integers and those of side A
 * have the whole scale, so that in f16 side A may be subnormal: powers of two that cancel each
 * other bring both into range.
 *
 * @param dtype the type of an element
 * @param multiplierA multiplies the elements of side A before they are rounded to f16 or bf16; a
 *     power of two, 1 for f32
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
   * Returns the type without multipliers.
   *
   * @param dtype the type of an element
   * @return the type
   */
  public static ElementType of(DType dtype) {
    return new ElementType(dtype, 1, 1);
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
