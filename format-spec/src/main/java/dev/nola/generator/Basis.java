package dev.nola.generator;

/**
 * Names the basis of one factor: the integers b_i[e] for every coefficient i and every element 0 ≤
 * e < length.
 *
 * @param generator how Philox output becomes integers
 * @param seed the file's seed, all 64 bits
 * @param stream the layer's stream number, an unsigned 32-bit integer; layers with equal numbers
 *     share a basis
 * @param side which factor
 * @param length elements of the factor, 1 to {@link Generator#maxLength()}
 */
public record Basis(Generator generator, long seed, int stream, Side side, int length) {
  /**
   * @throws IllegalArgumentException if {@code length} is out of the generator's range
   */
  public Basis {
    if (length < 1 || length > generator.maxLength()) {
      throw new IllegalArgumentException(
          "factor length=%d, must be 1..%d for %s"
              .formatted(length, generator.maxLength(), generator.label()));
    }
  }

  /** Counter word c3: what keeps sides and generators apart under one seed. */
  public int counterTag() {
    return side.ordinal() + 2 * generator.id();
  }

  /** Writes Philox block {@code block} of basis vector {@code index} to {@code words[0..3]}. */
  public void words(int block, int index, int[] words) {
    Philox.block(seed, block, index, stream, counterTag(), words);
  }
}
