package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Philox;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums over bases with the Vector API, at whatever width the machine has. Lanes are blocks of
 * Philox: each step computes one block of as many counters as an int vector has lanes and adds it
 * to the sums at once, so that no basis is ever stored. Sums are integers, so their order leaves no
 * trace in the result.
 *
 * <p>Transposed products, deltas and merges are the scalar kernel's.
 */
final class VectorKernel implements Kernel {
  static final String NAME = "vector";

  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

  /** Counters that are computed at once. */
  private static final int LANES = INTS.length();

  private static final long LOW = 0xFFFF_FFFFL;

  /** What makes every coefficient positive, so that products are of unsigned 32-bit numbers. */
  private static final int OFFSET = 1 << Generator.MAX_BITS;

  private final Kernel scalar = new ScalarKernel();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void combine(Basis basis, int[] coefficients, float scale, float[] factor) {
    switch (basis.generator()) {
      case UNIFORM24 -> new Uniform24(basis).combine(coefficients, scale, factor);
      case UNIFORM8 -> new Narrow(basis, Narrow.BYTES).combine(coefficients, scale, factor);
      case RADEMACHER -> new Narrow(basis, Narrow.BITS).combine(coefficients, scale, factor);
      case SRHT -> {
        if (magnitudes(coefficients) <= Integer.MAX_VALUE) {
          combineColumns(new Hadamard(basis), coefficients, scale, factor);
        } else {
          scalar.combine(basis, coefficients, scale, factor);
        }
      }
    }
  }

  private static long magnitudes(int[] coefficients) {
    long sum = 0;
    for (int v : coefficients) {
      sum += Math.abs(v);
    }
    return sum;
  }

  private static float rounded(long sum, float scale) {
    return (float) ((double) sum * (double) scale) + 0.0f;
  }

  /** The words of {@link #LANES} neighbouring Philox blocks at a time. */
  private static class Blocks {
    final Basis basis;

    /** The latest words: word w of lane b at [w · LANES + b]. */
    final int[] words = new int[4 * LANES];

    Blocks(Basis basis) {
      this.basis = basis;
    }

    /** Computes blocks {@code first …} of basis vector {@code index}, one a lane. */
    final void next(int first, int index) {
      LongVector m0 = unsigned(Philox.M0);
      LongVector m1 = unsigned(Philox.M1);
      IntVector c0 = IntVector.zero(INTS).addIndex(1).add(first);
      IntVector c1 = IntVector.broadcast(INTS, index);
      IntVector c2 = IntVector.broadcast(INTS, basis.stream());
      IntVector c3 = IntVector.broadcast(INTS, basis.counterTag());
      int k0 = (int) basis.seed();
      int k1 = (int) (basis.seed() >>> 32);
      for (int round = 0; round < Philox.ROUNDS; round++) {
        LongVector even0 = even(c0).mul(m0);
        LongVector odd0 = odd(c0).mul(m0);
        LongVector even1 = even(c2).mul(m1);
        LongVector odd1 = odd(c2).mul(m1);
        c0 = high(even1, odd1).lanewise(VectorOperators.XOR, c1).lanewise(VectorOperators.XOR, k0);
        c1 = low(even1, odd1);
        c2 = high(even0, odd0).lanewise(VectorOperators.XOR, c3).lanewise(VectorOperators.XOR, k1);
        c3 = low(even0, odd0);
        k0 += Philox.W0;
        k1 += Philox.W1;
      }
      c0.intoArray(words, 0);
      c1.intoArray(words, LANES);
      c2.intoArray(words, 2 * LANES);
      c3.intoArray(words, 3 * LANES);
    }

    /**
     * A 32-bit number in every 64-bit lane. The shift is what tells the compiler that the upper
     * half is zero, so that it multiplies 32 bits by 32 (one instruction) and not 64 by 64 (many).
     */
    static LongVector unsigned(int x) {
      return LongVector.broadcast(LONGS, (long) x << 32).lanewise(VectorOperators.LSHR, 32);
    }

    static LongVector even(IntVector x) {
      return x.reinterpretAsLongs().lanewise(VectorOperators.AND, LOW);
    }

    static LongVector odd(IntVector x) {
      return x.reinterpretAsLongs().lanewise(VectorOperators.LSHR, 32);
    }

    private static IntVector high(LongVector even, LongVector odd) {
      return even.lanewise(VectorOperators.LSHR, 32)
          .lanewise(VectorOperators.OR, odd.lanewise(VectorOperators.AND, ~LOW))
          .reinterpretAsInts();
    }

    private static IntVector low(LongVector even, LongVector odd) {
      return even.lanewise(VectorOperators.AND, LOW)
          .lanewise(VectorOperators.OR, odd.lanewise(VectorOperators.LSHL, 32))
          .reinterpretAsInts();
    }
  }

  /**
   * Sums of uniform24, which need 64 bits: Σ v·b = 2·Σ (v + offset)·w − 2·offset·Σ w − max·Σ v for
   * 24-bit words w.
   */
  private static final class Uniform24 extends Blocks {
    private static final int PER_BLOCK = 4;

    /** Σ (v + offset)·w: of every word, first the even lanes, then the odd ones. */
    private final long[] products = new long[PER_BLOCK * LANES];

    /** Σ w. */
    private final long[] integers = new long[PER_BLOCK * LANES];

    Uniform24(Basis basis) {
      super(basis);
    }

    void combine(int[] coefficients, float scale, float[] factor) {
      long sum = 0;
      for (int v : coefficients) {
        sum += v;
      }
      long constant = sum * basis.generator().maxMagnitude();
      int blocks = (factor.length - 1) / PER_BLOCK + 1;
      for (long block = 0; block < blocks; block += LANES) {
        Arrays.fill(products, 0);
        Arrays.fill(integers, 0);
        for (int i = 0; i < coefficients.length; i++) {
          next((int) block, i);
          add(coefficients[i]);
        }
        for (int lane = 0; lane < LANES && block + lane < blocks; lane++) {
          int at = (int) (block + lane) * PER_BLOCK;
          for (int w = 0; w < PER_BLOCK && w < factor.length - at; w++) {
            int slot = w * LANES + (lane & 1) * LONGS.length() + (lane >> 1);
            long exact = 2 * (products[slot] - (long) OFFSET * integers[slot]) - constant;
            factor[at + w] = rounded(exact, scale);
          }
        }
      }
    }

    private void add(int v) {
      LongVector positive = unsigned(v + OFFSET);
      for (int at = 0; at < 4 * LANES; at += LANES) {
        IntVector w = IntVector.fromArray(INTS, words, at).lanewise(VectorOperators.LSHR, 8);
        add(even(w), positive, at);
        add(odd(w), positive, at + LONGS.length());
      }
    }

    private void add(LongVector w, LongVector positive, int at) {
      LongVector.fromArray(LONGS, products, at).add(w.mul(positive)).intoArray(products, at);
      LongVector.fromArray(LONGS, integers, at).add(w).intoArray(integers, at);
    }
  }

  /** Sums of uniform8 and rademacher in 32 bits, emptied into 64 bits before they can overflow. */
  private static final class Narrow extends Blocks {
    /** Elements of a block of uniform8. */
    static final int BYTES = 16;

    /** Elements of a block of rademacher. */
    static final int BITS = 128;

    private final int perBlock;

    /** Sum of element p of lane b at [p · LANES + b]. */
    private final int[] sums;

    private final long[] wide;

    Narrow(Basis basis, int perBlock) {
      super(basis);
      this.perBlock = perBlock;
      this.sums = new int[perBlock * LANES];
      this.wide = new long[perBlock * LANES];
    }

    void combine(int[] coefficients, float scale, float[] factor) {
      int blocks = (factor.length - 1) / perBlock + 1;
      int max = basis.generator().maxMagnitude();
      for (long block = 0; block < blocks; block += LANES) {
        Arrays.fill(wide, 0);
        long bound = 0;
        for (int i = 0; i < coefficients.length; i++) {
          long next = (long) Math.abs(coefficients[i]) * max;
          if (bound + next > Integer.MAX_VALUE) {
            empty();
            bound = 0;
          }
          bound += next;
          next((int) block, i);
          if (perBlock == BYTES) {
            addBytes(coefficients[i]);
          } else {
            addBits(coefficients[i]);
          }
        }
        empty();
        for (int lane = 0; lane < LANES && block + lane < blocks; lane++) {
          int at = (int) (block + lane) * perBlock;
          for (int p = 0; p < perBlock && p < factor.length - at; p++) {
            factor[at + p] = rounded(wide[p * LANES + lane], scale);
          }
        }
      }
    }

    private void empty() {
      for (int s = 0; s < sums.length; s++) {
        wide[s] += sums[s];
      }
      Arrays.fill(sums, 0);
    }

    private void addBytes(int v) {
      for (int w = 0; w < 4; w++) {
        IntVector x = IntVector.fromArray(INTS, words, w * LANES);
        for (int p = 0; p < 4; p++) {
          IntVector y = x.lanewise(VectorOperators.LSHR, 8 * p).lanewise(VectorOperators.AND, 255);
          add(y.mul(2 * v).sub(255 * v), (4 * w + p) * LANES);
        }
      }
    }

    private void addBits(int v) {
      for (int w = 0; w < 4; w++) {
        IntVector x = IntVector.fromArray(INTS, words, w * LANES);
        for (int p = 0; p < 32; p++) {
          IntVector negative =
              x.lanewise(VectorOperators.LSHL, 31 - p).lanewise(VectorOperators.ASHR, 31);
          add(negative.lanewise(VectorOperators.XOR, v).sub(negative), (32 * w + p) * LANES);
        }
      }
    }

    private void add(IntVector products, int at) {
      IntVector.fromArray(INTS, sums, at).add(products).intoArray(sums, at);
    }
  }

  private static void combineColumns(
      Hadamard hadamard, int[] coefficients, float scale, float[] factor) {
    int[] sums = new int[Hadamard.columns(factor.length)];
    for (int i = 0; i < coefficients.length; i++) {
      sums[hadamard.column(i)] = coefficients[i];
    }
    FastHadamard.transform(sums);
    int[] signs = new int[4];
    for (int block = 0; block < hadamard.signBlocks(); block++) {
      hadamard.signs(block, signs);
      int from = block * 128;
      int count = Math.min(128, factor.length - from);
      for (int j = 0; j < count; j++) {
        int negative = signs[j >>> 5] << 31 - (j & 31) >> 31;
        int sum = sums[from + j & sums.length - 1];
        factor[from + j] = rounded((sum ^ negative) - negative, scale);
      }
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products) {
    scalar.project(basis, gradient, products);
  }

  @Override
  public void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int from,
      int count,
      double[] delta,
      int at) {
    scalar.delta(a, b, rank, cols, row, from, count, delta, at);
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      int count,
      double[] multipliers,
      double[][] deltas) {
    return scalar.merge(dtype, weights, merged, count, multipliers, deltas);
  }
}
