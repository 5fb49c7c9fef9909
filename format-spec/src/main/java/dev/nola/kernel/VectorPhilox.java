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
 * <p>The state is kept in 64-bit lanes of which only the low half is used: a multiplication then
 * needs a mask and yields both halves of its product, and no word ever moves to another lane.
 * Blocks of even and of odd number are in vectors of their own until the words are stored.
 */
final class VectorPhilox {
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  static final VectorSpecies<Long> LONGS = INTS.withLanes(long.class);

  /** Blocks that are computed at once. */
  static final int LANES = INTS.length();

  /** Ints that the words of {@link #LANES} blocks take. */
  static final int ROW = 4 * LANES;

  private static final long LOW = 0xFFFF_FFFFL;

  private final Basis basis;
  private final int[] halves = new int[2 * ROW];

  VectorPhilox(Basis basis) {
    this.basis = basis;
  }

  /**
   * Writes blocks {@code block … block + LANES − 1} of a basis vector: word w of the block in lane
   * b goes to {@code words[offset + w · LANES + b]}.
   *
   * <p>An array, because vectors that a method returns are objects wherever the method is not
   * compiled into its caller.
   *
   * @param flip the bits of every word to invert
   */
  void words(int block, int index, int flip, int[] words, int offset) {
    rounds(block, index);
    interleave(flip, words, offset);
  }

  /**
   * Stores each word of even blocks and of odd blocks in turn. This method must stay short: the
   * compiler does not optimize longer ones, and vectors become objects.
   */
  private void rounds(int block, int index) {
    LongVector m0 = unsigned(Philox.M0);
    LongVector m1 = unsigned(Philox.M1);
    IntVector even0 = LongVector.zero(LONGS).addIndex(2).add(block).reinterpretAsInts();
    IntVector odd0 = LongVector.zero(LONGS).addIndex(2).add(block + 1).reinterpretAsInts();
    IntVector even1 = IntVector.broadcast(INTS, index);
    IntVector odd1 = IntVector.broadcast(INTS, index);
    IntVector even2 = IntVector.broadcast(INTS, basis.stream());
    IntVector odd2 = IntVector.broadcast(INTS, basis.stream());
    IntVector even3 = IntVector.broadcast(INTS, basis.counterTag());
    IntVector odd3 = IntVector.broadcast(INTS, basis.counterTag());
    int k0 = (int) basis.seed();
    int k1 = (int) (basis.seed() >>> 32);
    for (int round = 0; round < Philox.ROUNDS; round++) {
      LongVector evenP0 = low(even0).mul(m0);
      LongVector oddP0 = low(odd0).mul(m0);
      LongVector evenP1 = low(even2).mul(m1);
      LongVector oddP1 = low(odd2).mul(m1);
      even0 = high(evenP1).lanewise(VectorOperators.XOR, even1).lanewise(VectorOperators.XOR, k0);
      odd0 = high(oddP1).lanewise(VectorOperators.XOR, odd1).lanewise(VectorOperators.XOR, k0);
      even1 = evenP1.reinterpretAsInts();
      odd1 = oddP1.reinterpretAsInts();
      even2 = high(evenP0).lanewise(VectorOperators.XOR, even3).lanewise(VectorOperators.XOR, k1);
      odd2 = high(oddP0).lanewise(VectorOperators.XOR, odd3).lanewise(VectorOperators.XOR, k1);
      even3 = evenP0.reinterpretAsInts();
      odd3 = oddP0.reinterpretAsInts();
      k0 += Philox.W0;
      k1 += Philox.W1;
    }
    even0.intoArray(halves, 0);
    odd0.intoArray(halves, LANES);
    even1.intoArray(halves, 2 * LANES);
    odd1.intoArray(halves, 3 * LANES);
    even2.intoArray(halves, 4 * LANES);
    odd2.intoArray(halves, 5 * LANES);
    even3.intoArray(halves, 6 * LANES);
    odd3.intoArray(halves, 7 * LANES);
  }

  private void interleave(int flip, int[] words, int offset) {
    for (int w = 0; w < 4; w++) {
      IntVector even = IntVector.fromArray(INTS, halves, 2 * w * LANES);
      IntVector odd = IntVector.fromArray(INTS, halves, (2 * w + 1) * LANES);
      low(even)
          .or(odd.reinterpretAsLongs().lanewise(VectorOperators.LSHL, 32))
          .reinterpretAsInts()
          .lanewise(VectorOperators.XOR, flip)
          .intoArray(words, offset + w * LANES);
    }
  }

  /**
   * A 32-bit number in every lane. The shift is what tells the compiler that the upper half is
   * zero, so that it multiplies 32 bits by 32 (one instruction) and not 64 by 64 (many).
   */
  private static LongVector unsigned(int x) {
    return LongVector.broadcast(LONGS, (long) x << 32).lanewise(VectorOperators.LSHR, 32);
  }

  /**
   * The low halves. The state is ints so that this mask stays next to the multiplication: fused
   * with the logic before it, it would hide from the compiler that factors are short.
   */
  private static LongVector low(IntVector state) {
    return state.reinterpretAsLongs().and(LOW);
  }

  private static IntVector high(LongVector product) {
    return product.lanewise(VectorOperators.LSHR, 32).reinterpretAsInts();
  }
}
