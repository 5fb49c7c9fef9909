package dev.nola.kernel;

import dev.nola.generator.Basis;
import dev.nola.generator.Philox;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Philox for as many neighbouring blocks at once as an int vector has lanes.
 *
 * <p>The state is kept in 64-bit lanes of which only the low half means anything: a multiplication
 * then needs a mask and gives both halves of its product, and no word is ever moved to another
 * lane. Blocks of even and of odd number are in vectors of their own until the words are stored.
 */
final class VectorPhilox {
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  static final VectorSpecies<Long> LONGS = INTS.withLanes(long.class);

  /** Blocks that are computed at once. */
  static final int LANES = INTS.length();

  /** Ints that the words of {@link #LANES} blocks take. */
  static final int ROW = 4 * LANES;

  static final long LOW = 0xFFFF_FFFFL;

  private VectorPhilox() {}

  /**
   * Writes blocks {@code block … block + LANES − 1} of basis vectors {@code index … index + count −
   * 1}: word w of the block in lane b, of the n-th basis vector, to {@code words[n · ROW + w ·
   * LANES + b]}.
   *
   * <p>An array, because vectors that a method returns are objects wherever the method is not
   * compiled into its caller.
   */
  static void words(Basis basis, int block, int index, int count, int[] words) {
    LongVector m0 = unsigned(Philox.M0);
    LongVector m1 = unsigned(Philox.M1);
    LongVector evenBlocks = LongVector.zero(LONGS).addIndex(2).add(block);
    LongVector oddBlocks = evenBlocks.add(1);
    LongVector stream = LongVector.broadcast(LONGS, basis.stream());
    LongVector tag = LongVector.broadcast(LONGS, basis.counterTag());
    LongVector key0 = LongVector.broadcast(LONGS, basis.seed());
    LongVector key1 = LongVector.broadcast(LONGS, basis.seed() >>> 32);
    for (int n = 0; n < count; n++) {
      LongVector even0 = evenBlocks;
      LongVector odd0 = oddBlocks;
      LongVector even1 = LongVector.broadcast(LONGS, index + n);
      LongVector odd1 = even1;
      LongVector even2 = stream;
      LongVector odd2 = stream;
      LongVector even3 = tag;
      LongVector odd3 = tag;
      LongVector k0 = key0;
      LongVector k1 = key1;
      for (int round = 0; round < Philox.ROUNDS; round++) {
        LongVector evenP0 = even0.and(LOW).mul(m0);
        LongVector oddP0 = odd0.and(LOW).mul(m0);
        LongVector evenP1 = even2.and(LOW).mul(m1);
        LongVector oddP1 = odd2.and(LOW).mul(m1);
        even0 = high(evenP1).lanewise(VectorOperators.XOR, even1).lanewise(VectorOperators.XOR, k0);
        odd0 = high(oddP1).lanewise(VectorOperators.XOR, odd1).lanewise(VectorOperators.XOR, k0);
        even1 = evenP1;
        odd1 = oddP1;
        even2 = high(evenP0).lanewise(VectorOperators.XOR, even3).lanewise(VectorOperators.XOR, k1);
        odd2 = high(oddP0).lanewise(VectorOperators.XOR, odd3).lanewise(VectorOperators.XOR, k1);
        even3 = evenP0;
        odd3 = oddP0;
        k0 = k0.add(Philox.W0);
        k1 = k1.add(Philox.W1);
      }
      int at = n * ROW;
      interleaved(even0, odd0).intoArray(words, at);
      interleaved(even1, odd1).intoArray(words, at + LANES);
      interleaved(even2, odd2).intoArray(words, at + 2 * LANES);
      interleaved(even3, odd3).intoArray(words, at + 3 * LANES);
    }
  }

  /**
   * A 32-bit number in every lane. The shift is what tells the compiler that the upper half is
   * zero, so that it multiplies 32 bits by 32 (one instruction) and not 64 by 64 (many).
   */
  private static LongVector unsigned(int x) {
    return LongVector.broadcast(LONGS, (long) x << 32).lanewise(VectorOperators.LSHR, 32);
  }

  private static LongVector high(LongVector product) {
    return product.lanewise(VectorOperators.LSHR, 32);
  }

  private static IntVector interleaved(LongVector even, LongVector odd) {
    return even.and(LOW).or(odd.lanewise(VectorOperators.LSHL, 32)).reinterpretAsInts();
  }
}
