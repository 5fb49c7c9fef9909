package dev.nola.generator;

/**
 * The subsampled Walsh–Hadamard basis of {@link Generator#SRHT}. With p = ⌊log₂ length⌋ and N =
 * 2^p, basis vector i is column π(i) of the N×N Walsh–Hadamard matrix in natural order, repeated
 * along e, under random signs D of full length:
 *
 * <pre>b_i[e] = D[e] · (−1)^popcount(π(i) &amp; e)</pre>
 */
public final class Hadamard {
  private static final int SIGN_BLOCK = 128;

  private final Basis basis;
  private final int log2;
  private final int[] rounds = new int[8];

  /**
   * Creates the Hadamard basis of a factor.
   *
   * @param basis a basis of generator {@link Generator#SRHT}
   * @throws IllegalArgumentException if it has another generator
   */
  public Hadamard(Basis basis) {
    if (basis.generator() != Generator.SRHT) {
      throw new IllegalArgumentException(
          "invalid generator: " + basis.generator() + "; must be " + Generator.SRHT);
    }
    this.basis = basis;
    this.log2 = log2(basis.length());
    int[] words = new int[4];
    for (int half = 0; half < 2; half++) {
      basis.words(half, 1, words);
      System.arraycopy(words, 0, rounds, 4 * half, 4);
    }
  }

  /**
   * Returns p = ⌊log₂ length⌋.
   *
   * @param length elements of the factor, at least 1
   * @return 0 to 30
   */
  public static int log2(int length) {
    return 31 - Integer.numberOfLeadingZeros(length);
  }

  /**
   * Returns N = 2^p, the size of the transform and the number of its columns.
   *
   * @param length elements of the factor, at least 1
   * @return the largest power of two up to {@code length}
   */
  public static int columns(int length) {
    return Integer.highestOneBit(length);
  }

  /**
   * Returns π(i): four rounds of an odd multiplication, an addition and a shifted xor, each a
   * bijection of 0..N−1.
   *
   * @param i the basis vector, 0 to N−1
   * @return its column, 0 to N−1
   */
  public int column(int i) {
    int mask = (1 << log2) - 1;
    int shift = (log2 + 1) / 2;
    int x = i;
    for (int t = 0; t < 4; t++) {
      x = (x * (rounds[2 * t] | 1) + rounds[2 * t + 1]) & mask;
      x ^= x >>> shift;
    }
    return x;
  }

  /**
   * Computes the random signs of elements {@code 128·block .. 128·block + 127}: bit e mod 128,
   * least significant bit of word 0 first, is set where D[e] = −1.
   *
   * @param block number of the block, from 0
   * @param words receives four words from index 0
   */
  public void signs(int block, int[] words) {
    basis.words(block, 0, words);
  }

  /**
   * Returns the number of sign blocks that cover the factor.
   *
   * @return ⌈length/128⌉
   */
  public int signBlocks() {
    return (basis.length() - 1) / SIGN_BLOCK + 1;
  }
}
