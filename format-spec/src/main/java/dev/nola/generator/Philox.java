package dev.nola.generator;

/**
 * Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (SC'11): a keyed bijection of 128-bit counters, so that any block of the stream is
 * computed without the ones before it.
 */
public final class Philox {
  /** Multiplier of counter word 0. */
  public static final int M0 = 0xD2511F53;

  /** Multiplier of counter word 2. */
  public static final int M1 = 0xCD9E8D57;

  /** Added to key word 0 after each round. */
  public static final int W0 = 0x9E3779B9;

  /** Added to key word 1 after each round. */
  public static final int W1 = 0xBB67AE85;

  /** Number of rounds. */
  public static final int ROUNDS = 10;

  private static final long MASK = 0xFFFF_FFFFL;

  private Philox() {}

  /**
   * Computes one block. Its six parameters are those of the published function.
   *
   * @param seed the key: low 32 bits are key word 0, high 32 bits key word 1
   * @param c0 counter word 0, unsigned
   * @param c1 counter word 1, unsigned
   * @param c2 counter word 2, unsigned
   * @param c3 counter word 3, unsigned
   * @param words receives four words from index 0
   */
  public static void block(long seed, int c0, int c1, int c2, int c3, int[] words) {
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (M0 & MASK) * (c0 & MASK);
      long p1 = (M1 & MASK) * (c2 & MASK);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += W0;
      k1 += W1;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
  }
}
