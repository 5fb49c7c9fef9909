package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.LONGS;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposed products of the independent generators. The gradient is laid out once like the Philox
 * words, block by lane, so that basis integers are multiplied where they arise.
 */
final class VectorProjection {
  private static final VectorSpecies<Double> DOUBLES = INTS.withLanes(double.class);
  private static final int HALF = LONGS.length();
  private static final int PARTIALS = ScalarKernel.PARTIAL_SUMS;

  /** Elements whose gradient is laid out at a time: a multiple of every set of blocks. */
  private static final int BAND = 1 << 13;

  /** Basis vectors whose words are computed at a time. */
  private static final int CHUNK = 8;

  /** Basis vectors whose partial sums are held at a time. */
  private static final int GROUP = 1 << 12;

  /** An integer n below 2⁵² in the bits of the double 2⁵² + n. */
  private static final long MAGIC = 0x4330_0000_0000_0000L;

  private static final double MAGIC_VALUE = 0x1p52;
  private static final long SIGN = Long.MIN_VALUE;

  private final Basis basis;
  private final VectorPhilox philox;
  private final int perBlock;
  private final int[] words = new int[CHUNK * ROW];
  private final double[] laidOut = new double[BAND];
  private final double[] partials;

  VectorProjection(Basis basis, int count) {
    this.basis = basis;
    this.philox = new VectorPhilox(basis);
    this.perBlock = basis.generator().perBlock();
    this.partials = new double[Math.min(GROUP, count) * PARTIALS];
  }

  void project(float[] gradient, double[] products, int start, int end) {
    for (int first = start; first < end; first += GROUP) {
      int count = Math.min(GROUP, end - first);
      Arrays.fill(partials, 0);
      for (long band = 0; band < gradient.length; band += BAND) {
        layOut(gradient, (int) band);
        int sets = (int) (Math.min(BAND, gradient.length - band) - 1) / (perBlock * LANES) + 1;
        int firstBlock = (int) band / perBlock;
        for (int i = 0; i < count; i += CHUNK) {
          add(firstBlock, sets, first + i, i, Math.min(CHUNK, count - i));
        }
      }
      for (int i = 0; i < count; i++) {
        products[first + i] = total(i * PARTIALS);
      }
    }
  }

  /** Element p of the block in lane b of a set goes to (set · perBlock + p) · LANES + slot(b). */
  private void layOut(float[] gradient, int start) {
    Arrays.fill(laidOut, 0);
    int count = Math.min(BAND, gradient.length - start);
    for (int e = 0; e < count; e++) {
      int block = e / perBlock;
      int row = block / LANES * perBlock + e % perBlock;
      laidOut[row * LANES + slot(block % LANES)] = gradient[start + e];
    }
  }

  /** Blocks of even number come first, as the 64-bit lanes of words hold them. */
  private static int slot(int lane) {
    return (lane & 1) * HALF + (lane >> 1);
  }

  private void add(int firstBlock, int sets, int index, int offset, int count) {
    for (int set = 0; set < sets; set++) {
      for (int n = 0; n < count; n++) {
        philox.words(firstBlock + set * LANES, index + n, 0, words, n * ROW);
      }
      int row = set * perBlock * LANES;
      int partial = offset * PARTIALS + set * LANES % PARTIALS;
      for (int n = 0; n < count; n++) {
        switch (basis.generator()) {
          case UNIFORM24 -> addWords(n * ROW, row, partial);
          case UNIFORM8 -> addBytes(n * ROW, row, partial);
          case RADEMACHER -> addBits(n * ROW, row, partial);
          case SRHT, IDENTITY ->
              throw new IllegalArgumentException(
                  "basis not independent: %s; has a projection of its own"
                      .formatted(basis.generator()));
        }
        partial += PARTIALS;
      }
    }
  }

  private void addWords(int word, int row, int partial) {
    DoubleVector even = DoubleVector.fromArray(DOUBLES, partials, partial);
    DoubleVector odd = DoubleVector.fromArray(DOUBLES, partials, partial + HALF);
    long mask = 2 * 0xFF_FFFFL;
    double middle = MAGIC_VALUE + 0xFF_FFFF;
    for (int w = 0; w < 4; w++) {
      LongVector x = pairs(word + w * LANES);
      even = add(even, x.lanewise(VectorOperators.LSHR, 7), mask, middle, row);
      odd = add(odd, x.lanewise(VectorOperators.LSHR, 39), mask, middle, row + HALF);
      row += LANES;
    }
    even.intoArray(partials, partial);
    odd.intoArray(partials, partial + HALF);
  }

  private void addBytes(int word, int row, int partial) {
    for (int w = 0; w < 4; w++) {
      addBytesOfWord(word + w * LANES, row, partial);
      row += 4 * LANES;
    }
  }

  private void addBytesOfWord(int word, int row, int partial) {
    DoubleVector even = DoubleVector.fromArray(DOUBLES, partials, partial);
    DoubleVector odd = DoubleVector.fromArray(DOUBLES, partials, partial + HALF);
    LongVector twice = pairs(word).lanewise(VectorOperators.ROL, 1);
    long mask = 2 * 0xFFL;
    double middle = MAGIC_VALUE + 0xFF;
    for (int byteOfWord = 0; byteOfWord < Integer.BYTES; byteOfWord++) {
      even = add(even, twice, mask, middle, row);
      odd = add(odd, twice.lanewise(VectorOperators.ROR, Integer.SIZE), mask, middle, row + HALF);
      twice = twice.lanewise(VectorOperators.ROR, Byte.SIZE);
      row += LANES;
    }
    even.intoArray(partials, partial);
    odd.intoArray(partials, partial + HALF);
  }

  private LongVector pairs(int word) {
    return IntVector.fromArray(INTS, words, word).reinterpretAsLongs();
  }

  /** sum + b·gradient, where twice the basis bits stand under the mask and b = those − middle. */
  private DoubleVector add(
      DoubleVector sum, LongVector twice, long mask, double middle, int gradient) {
    return twice
        .and(mask)
        .or(MAGIC)
        .reinterpretAsDoubles()
        .sub(middle)
        .fma(DoubleVector.fromArray(DOUBLES, laidOut, gradient), sum);
  }

  private void addBits(int word, int row, int partial) {
    DoubleVector even = DoubleVector.fromArray(DOUBLES, partials, partial);
    DoubleVector odd = DoubleVector.fromArray(DOUBLES, partials, partial + HALF);
    for (int w = 0; w < 4; w++) {
      LongVector x = pairs(word + w * LANES);
      for (int p = 0; p < Integer.SIZE; p++) {
        even = even.add(signed(x.lanewise(VectorOperators.LSHL, 63 - p), row));
        odd = odd.add(signed(x.lanewise(VectorOperators.LSHL, 31 - p), row + HALF));
        row += LANES;
      }
    }
    even.intoArray(partials, partial);
    odd.intoArray(partials, partial + HALF);
  }

  private DoubleVector signed(LongVector topBit, int gradient) {
    return DoubleVector.fromArray(DOUBLES, laidOut, gradient)
        .reinterpretAsLongs()
        .lanewise(VectorOperators.XOR, topBit.and(SIGN))
        .reinterpretAsDoubles();
  }

  private double total(int offset) {
    double[] ordered = new double[PARTIALS];
    for (int block = 0; block < PARTIALS; block++) {
      ordered[block] = partials[offset + block / LANES * LANES + slot(block % LANES)];
    }
    return ScalarKernel.addedInHalves(ordered);
  }
}
