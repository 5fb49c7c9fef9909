package dev.nola.client.synthetic;

import dev.nola.format.Codes;
import dev.nola.generator.Philox;
import dev.nola.generator.Side;

/**
 * Codes that are uniform and depend on seed, layer and side alone: code j is the low bits of word j
 * mod 4 of the Philox block at counter (j div 4, 0, number of the layer, 2³² − 2 + side) under the
 * adapter's seed. The last counter word of a basis is a small number, so no basis uses that block.
 */
final class RandomCodes {
  private RandomCodes() {}

  static Codes draw(long seed, int layer, Side side, int count, int bits) {
    int[] codes = new int[count];
    int[] words = new int[4];
    for (int j = 0; j < count; j++) {
      if (j % 4 == 0) {
        Philox.block(seed, j / 4, 0, layer, -2 + side.ordinal(), words);
      }
      codes[j] = words[j % 4] & (1 << bits) - 1;
    }
    return Codes.of(bits, codes);
  }

  /** The mean square of a random coefficient v = 2u − (2^bits − 1). */
  static double meanSquare(int bits) {
    double levels = 1L << bits;
    return (levels * levels - 1) / 3;
  }
}
