package dev.nola.generator;

/**
 * Names the basis of one factor: the integers b_i[e] for every coefficient i and every element
 * {@code 0 ≤ e < length}.
 *
 * @param generator how the integers are made
 * @param seed the file's seed, all 64 bits; {@link Generator#IDENTITY} does not use it
 * @param stream the layer's stream number, an unsigned 32-bit integer; layers with equal numbers
 *     share a basis; {@link Generator#IDENTITY} does not use it
 * @param side the factor
 * @param length elements of the factor, 1 to {@link Generator#maxLength()}
 */
public record Basis(Generator generator, long seed, int stream, Side side, int length) {
  /**
   * Checks the length.
   *
   * @throws IllegalArgumentException if {@code length} is out of the generator's range
   */
  public Basis {
    if (length < 1 || length > generator.maxLength()) {
      throw new IllegalArgumentException(
          "invalid factor length: %d; must be 1 to %d for %s"
              .formatted(length, generator.maxLength(), generator.label()));
    }
  }

  /**
   * Returns counter word c3, which separates sides and generators under one seed (SPEC.md section
   * 6).
   *
   * @return side + 2·(generator id)
   */
  public int counterTag() {
    return side.ordinal() + 2 * generator.id();
  }

  /**
   * Computes a Philox block of a basis vector.
   *
   * @param block counter word c0, unsigned
   * @param index i, counter word c1
   * @param words receives four words from index 0
   */
  public void words(int block, int index, int[] words) {
    Philox.block(seed, block, index, stream, counterTag(), words);
  }

  /**
   * Computes integers of a basis vector: {@code integers[e] = b_i[start + e]} for {@code 0 ≤ e <
   * count}.
   *
   * @param index i, below the number of columns for {@link Generator#SRHT} and below the length for
   *     {@link Generator#IDENTITY}
   * @param start first element, a multiple of 128
   * @param count number of elements
   * @param integers receives {@code count} integers from index 0
   */
  public void vector(int index, int start, int count, int[] integers) {
    int[] words = new int[4];
    switch (generator) {
      case UNIFORM24 -> {
        for (int e = 0; e < count; e++) {
          if (e % 4 == 0) {
            words((start + e) / 4, index, words);
          }
          integers[e] = 2 * (words[e % 4] >>> 8) - ((1 << 24) - 1);
        }
      }
      case UNIFORM8 -> {
        for (int e = 0; e < count; e++) {
          if (e % 16 == 0) {
            words((start + e) / 16, index, words);
          }
          integers[e] = 2 * (words[e % 16 / 4] >>> 8 * (e % 4) & 0xFF) - 255;
        }
      }
      case RADEMACHER -> {
        for (int e = 0; e < count; e++) {
          if (e % 128 == 0) {
            words((start + e) / 128, index, words);
          }
          integers[e] = 1 - 2 * bit(words, e % 128);
        }
      }
      case SRHT -> {
        Hadamard hadamard = new Hadamard(this);
        int column = hadamard.column(index);
        for (int e = 0; e < count; e++) {
          if (e % 128 == 0) {
            hadamard.signs((start + e) / 128, words);
          }
          int negative = bit(words, e % 128) ^ Integer.bitCount(column & (start + e)) & 1;
          integers[e] = 1 - 2 * negative;
        }
      }
      case IDENTITY -> {
        for (int e = 0; e < count; e++) {
          integers[e] = start + e == index ? 1 : 0;
        }
      }
    }
  }

  /** Returns bit n of a Philox block, least significant bit of word 0 first. */
  private static int bit(int[] words, int n) {
    return words[n / 32] >>> n % 32 & 1;
  }
}
