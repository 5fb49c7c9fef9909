package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.LONGS;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of the uniform generators in the narrowest lanes that hold them.
 *
 * <p>A basis integer is b = 2x + 1 for the signed number x that the Philox bits are once their top
 * bit is flipped, so Σ v·b = 2·Σ v·x + Σ v. A coefficient v is written in signed digits of {@value
 * #DIGIT} bits, none larger than {@value #LARGEST_DIGIT}: {@value #CHUNK} products of a digit and
 * an 8-bit x fit into 16 bits, and as many of a digit and a 24-bit x into 32, whatever the width of
 * the codes. After every chunk of basis vectors the narrow sums are added to wider ones.
 */
final class VectorUniform {
  private static final VectorSpecies<Short> SHORTS = INTS.withLanes(short.class);

  /** Basis vectors that narrow lanes can take in: 15 · 16 · 2⁷ < 2¹⁵ and 15 · 16 · 2²³ < 2³¹. */
  private static final int CHUNK = 15;

  private static final int DIGIT = 5;
  private static final int LARGEST_DIGIT = 1 << DIGIT - 1;

  private final VectorPhilox philox;
  private final boolean bytes;

  /** What makes top bits signs: of words, or of every second byte. */
  private final int flip;

  /** Elements of a block: 4 words, or 16 bytes. */
  private final int perBlock;

  /** Digits of all coefficients, the lowest first. */
  private final short[][] digits;

  /** Σ v. */
  private final long coefficientSum;

  /** The largest that Σ |v·x| of one chunk can be. */
  private final long chunkBound;

  private final int[] words;

  /** Σ v·x of bytes: of element p of the block in lane b at [p · LANES + b]. */
  private final int[] sums;

  /**
   * Σ v·x: for bytes like {@link #sums}; for words, of word w first the even lanes' sums, then the
   * odd ones'.
   */
  private final long[] wide;

  VectorUniform(Basis basis, int[] coefficients) {
    this.philox = new VectorPhilox(basis);
    this.bytes = basis.generator() == Generator.UNIFORM8;
    this.flip = bytes ? 0x80008000 : Integer.MIN_VALUE;
    this.perBlock = basis.generator().perBlock();
    this.digits = digits(coefficients);
    long sum = 0;
    for (int v : coefficients) {
      sum += v;
    }
    this.coefficientSum = sum;
    long bound = 0;
    for (int position = 0; position < digits.length; position++) {
      bound += (long) CHUNK * LARGEST_DIGIT << 7 + position * DIGIT;
    }
    this.chunkBound = bound;
    this.words = new int[Math.min(CHUNK, coefficients.length) * ROW];
    this.sums = new int[perBlock * LANES];
    this.wide = new long[perBlock * LANES];
  }

  private static short[][] digits(int[] coefficients) {
    int largest = 0;
    for (int v : coefficients) {
      largest = Math.max(largest, Math.abs(v));
    }
    int positions = 1;
    for (int rest = largest; rest > LARGEST_DIGIT; rest = rest + LARGEST_DIGIT >> DIGIT) {
      positions++;
    }
    short[][] digits = new short[positions][coefficients.length];
    for (int i = 0; i < coefficients.length; i++) {
      int rest = coefficients[i];
      for (int position = 0; position < positions - 1; position++) {
        int next = rest + LARGEST_DIGIT - 1 >> DIGIT;
        digits[position][i] = (short) (rest - (next << DIGIT));
        rest = next;
      }
      digits[positions - 1][i] = (short) rest;
    }
    return digits;
  }

  void combine(float scale, Kernel.Target target, int start, int end) {
    int blocks = (end - 1) / perBlock + 1;
    for (long block = start / perBlock; block < blocks; block += LANES) {
      sum((int) block);
      for (int lane = 0; lane < LANES && block + lane < blocks; lane++) {
        int offset = (int) (block + lane) * perBlock;
        int count = Math.min(perBlock, end - offset);
        for (int p = 0; p < count; p++) {
          int slot =
              bytes ? p * LANES + lane : p * LANES + (lane & 1) * LONGS.length() + (lane >> 1);
          target.set(offset + p, ScalarKernel.rounded(2 * wide[slot] + coefficientSum, scale));
        }
      }
    }
  }

  /** Leaves Σ v·x of {@link #LANES} blocks in {@link #wide}. */
  private void sum(int block) {
    Arrays.fill(wide, 0);
    Arrays.fill(sums, 0);
    long bound = 0;
    int k = digits[0].length;
    for (int i = 0; i < k; i += CHUNK) {
      int count = Math.min(CHUNK, k - i);
      for (int n = 0; n < count; n++) {
        philox.words(block, i + n, flip, words, n * ROW);
      }
      if (!bytes) {
        for (int position = 0; position < digits.length; position++) {
          addWords(digits[position], i, count, position * DIGIT);
        }
        continue;
      }
      if (bound + chunkBound > Integer.MAX_VALUE) {
        empty();
        bound = 0;
      }
      bound += chunkBound;
      for (int position = 0; position < digits.length; position++) {
        addBytes(digits[position], i, count, position * DIGIT);
      }
    }
    if (bytes) {
      empty();
    }
  }

  private void empty() {
    for (int s = 0; s < sums.length; s++) {
      wide[s] += sums[s];
    }
    Arrays.fill(sums, 0);
  }

  /**
   * A short of two bytes is 256·upper + lower, the upper one signed by the flip. Σ v·short modulo
   * 2¹⁶ and Σ v·upper give Σ v·lower, and minus 128·Σ v that fits into 16 bits: two instructions a
   * short fewer than separating the bytes.
   */
  private void addBytes(short[] digit, int first, int count, int shift) {
    int total = 0;
    for (int n = 0; n < count; n++) {
      total += digit[first + n];
    }
    short middle = (short) (128 * total);
    for (int w = 0; w < 4; w += 2) {
      ShortVector both0 = ShortVector.zero(SHORTS);
      ShortVector upper0 = ShortVector.zero(SHORTS);
      ShortVector both1 = ShortVector.zero(SHORTS);
      ShortVector upper1 = ShortVector.zero(SHORTS);
      int offset = w * LANES;
      for (int n = 0; n < count; n++) {
        short v = digit[first + n];
        ShortVector x0 = shorts(offset);
        ShortVector x1 = shorts(offset + LANES);
        both0 = both0.add(x0.mul(v));
        upper0 = upper0.add(x0.lanewise(VectorOperators.ASHR, 8).mul(v));
        both1 = both1.add(x1.mul(v));
        upper1 = upper1.add(x1.lanewise(VectorOperators.ASHR, 8).mul(v));
        offset += ROW;
      }
      addShorts(lower(both0, upper0, middle), shift, 4 * w);
      addShorts(upper0, shift, 4 * w + 1);
      addShorts(lower(both1, upper1, middle), shift, 4 * w + 4);
      addShorts(upper1, shift, 4 * w + 5);
    }
  }

  private ShortVector shorts(int offset) {
    return IntVector.fromArray(INTS, words, offset).reinterpretAsShorts();
  }

  private static ShortVector lower(ShortVector both, ShortVector upper, short middle) {
    return both.sub(upper.lanewise(VectorOperators.LSHL, 8)).sub(middle);
  }

  /** Adds the lower shorts of all ints to element p, the upper ones to element p + 2. */
  private void addShorts(ShortVector narrow, int shift, int p) {
    IntVector pairs = narrow.reinterpretAsInts();
    IntVector lower = pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
    IntVector upper = pairs.lanewise(VectorOperators.ASHR, 16);
    int offset = p * LANES;
    IntVector.fromArray(INTS, sums, offset)
        .add(lower.lanewise(VectorOperators.LSHL, shift))
        .intoArray(sums, offset);
    offset += 2 * LANES;
    IntVector.fromArray(INTS, sums, offset)
        .add(upper.lanewise(VectorOperators.LSHL, shift))
        .intoArray(sums, offset);
  }

  private void addWords(short[] digit, int first, int count, int shift) {
    for (int w = 0; w < 4; w += 2) {
      IntVector narrow0 = IntVector.zero(INTS);
      IntVector narrow1 = IntVector.zero(INTS);
      int offset = w * LANES;
      for (int n = 0; n < count; n++) {
        int v = digit[first + n];
        narrow0 = narrow0.add(signedWords(offset).mul(v));
        narrow1 = narrow1.add(signedWords(offset + LANES).mul(v));
        offset += ROW;
      }
      addInts(narrow0, shift, w * LANES);
      addInts(narrow1, shift, (w + 1) * LANES);
    }
  }

  private IntVector signedWords(int offset) {
    return IntVector.fromArray(INTS, words, offset).lanewise(VectorOperators.ASHR, 8);
  }

  private void addInts(IntVector narrow, int shift, int offset) {
    LongVector pairs = narrow.reinterpretAsLongs();
    LongVector even = pairs.lanewise(VectorOperators.LSHL, 32).lanewise(VectorOperators.ASHR, 32);
    LongVector odd = pairs.lanewise(VectorOperators.ASHR, 32);
    LongVector.fromArray(LONGS, wide, offset)
        .add(even.lanewise(VectorOperators.LSHL, shift))
        .intoArray(wide, offset);
    offset += LONGS.length();
    LongVector.fromArray(LONGS, wide, offset)
        .add(odd.lanewise(VectorOperators.LSHL, shift))
        .intoArray(wide, offset);
  }
}
