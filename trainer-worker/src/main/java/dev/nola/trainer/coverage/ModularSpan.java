package dev.nola.trainer.coverage;

/**
 * The span of vectors over the integers modulo the prime 2³¹ − 1, in row echelon form. Ranks of
 * integer vectors are exact there, while one in floating point depends on a threshold: modulo a
 * prime, a rank is never larger, and smaller only where the prime divides all the largest minors.
 */
final class ModularSpan {
  private static final long PRIME = Integer.MAX_VALUE;

  /** The vector of which the first element that is not 0 has this index, and is 1. */
  private final long[][] rows;

  private int dimensions;

  /**
   * Creates an empty span.
   *
   * @param length elements of a vector
   */
  ModularSpan(int length) {
    rows = new long[length][];
  }

  /** Returns the number of vectors that were independent of those before. */
  int dimensions() {
    return dimensions;
  }

  /**
   * Adds a vector.
   *
   * @param vector its elements, from 0 to below the prime; overwritten
   * @return whether it is independent of those before
   */
  boolean add(long[] vector) {
    for (int first = 0; first < rows.length; first++) {
      if (vector[first] != 0) {
        if (rows[first] == null) {
          scale(vector, first);
          rows[first] = vector;
          dimensions++;
          return true;
        }
        subtract(vector, first);
      }
    }
    return false;
  }

  /** Returns the remainder of a number, which may be negative, modulo the prime. */
  static long reduce(long number) {
    return Math.floorMod(number, PRIME);
  }

  /** Makes element {@code first} 0. */
  private void subtract(long[] vector, int first) {
    long[] row = rows[first];
    long multiplier = PRIME - vector[first];
    for (int i = first; i < vector.length; i++) {
      vector[i] = (vector[i] + multiplier * row[i]) % PRIME;
    }
  }

  /** Makes element {@code first} 1. */
  private static void scale(long[] vector, int first) {
    long inverse = power(vector[first], PRIME - 2);
    for (int i = first; i < vector.length; i++) {
      vector[i] = vector[i] * inverse % PRIME;
    }
  }

  private static long power(long base, long exponent) {
    long result = 1;
    for (long square = base; exponent > 0; exponent >>= 1) {
      if ((exponent & 1) == 1) {
        result = result * square % PRIME;
      }
      square = square * square % PRIME;
    }
    return result;
  }
}
