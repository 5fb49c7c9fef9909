package dev.nola.quantize;

import dev.nola.format.Codes;

/**
 * A vector rounded to levels: coefficient j is {@code step · values[j]}. Training rounds in every
 * step, and packs no codes for it.
 *
 * @param values odd integers, −(2^b−1) to 2^b−1
 * @param step half the distance between two levels; 0 for a vector of zeros
 */
public record Levels(int[] values, double step) {
  /**
   * Packs the values.
   *
   * @param bits b
   * @return one code a value
   */
  Codes codes(int bits) {
    int[] codes = new int[values.length];
    for (int j = 0; j < codes.length; j++) {
      codes[j] = (values[j] + (1 << bits) - 1) / 2;
    }
    return Codes.of(bits, codes);
  }
}
