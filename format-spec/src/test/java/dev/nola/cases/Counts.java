package dev.nola.cases;

import dev.nola.generator.Generator;

/** Numbers of coefficients for tests of every generator. */
public final class Counts {
  private Counts() {}

  /**
   * Returns the legal number of coefficients that is next to the wanted one.
   *
   * @param generator the basis's generator
   * @param length elements of the factor
   * @param bits width of a code
   * @param wanted the number to come near to
   * @return {@code wanted}, or less for srht, or {@code length} for identity
   */
  public static int coefficients(Generator generator, int length, int bits, int wanted) {
    return generator == Generator.IDENTITY
        ? length
        : (int) Math.min(wanted, generator.maxCoefficients(length, bits));
  }
}
