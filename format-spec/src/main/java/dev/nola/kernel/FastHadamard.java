package dev.nola.kernel;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The Walsh–Hadamard transform in natural order, without normalisation, of ints (where every
 * partial sum fits) or doubles (which are exact integers up to 2⁵³).
 *
 * <p>Strides ascend, so that the roundings of doubles are the same everywhere. Strides shorter than
 * a vector happen inside registers; longer ones are taken three at a time, and depth first, so that
 * a part is finished while it is in a cache.
 *
 * <p>Both element types are written out: over a common type of the Vector API the compiler would
 * keep vectors in memory, not in registers.
 */
abstract sealed class FastHadamard {
  /** Bytes that are transformed without recursion: a first cache's size. */
  private static final int CACHED = 1 << 15;

  private final int lanes;
  private final int cached;

  private FastHadamard(int lanes, int bytes) {
    this.lanes = lanes;
    this.cached = CACHED / bytes;
  }

  /**
   * Transforms in place.
   *
   * @param a as many ints as a power of two says; every partial sum must fit
   */
  static void transform(int[] a) {
    new OfInts(a).run(0, a.length);
  }

  /**
   * Transforms in place.
   *
   * @param a as many doubles as a power of two says
   */
  static void transform(double[] a) {
    new OfDoubles(a).run(0, a.length);
  }

  final void run(int start, int length) {
    if (length > cached) {
      int eighth = length / 8;
      for (int part = 0; part < 8; part++) {
        run(start + part * eighth, eighth);
      }
      threeStages(start, eighth);
      return;
    }
    if (length < lanes) {
      for (int stride = 1; stride < length; stride *= 2) {
        for (int group = start; group < start + length; group += 2 * stride) {
          shortStage(group, stride);
        }
      }
      return;
    }
    stagesInsideVectors(start, length);
    int stride = lanes;
    for (; 8 * stride <= length; stride *= 8) {
      for (int group = start; group < start + length; group += 8 * stride) {
        threeStages(group, stride);
      }
    }
    for (; stride < length; stride *= 2) {
      for (int group = start; group < start + length; group += 2 * stride) {
        stage(group, stride);
      }
    }
  }

  /** The stages of strides 1 to half a vector. */
  abstract void stagesInsideVectors(int start, int length);

  /** One stage over {@code 2 · stride} elements, the stride less than a vector. */
  abstract void shortStage(int start, int stride);

  /** One stage over {@code 2 · stride} elements, the stride at least a vector. */
  abstract void stage(int start, int stride);

  /**
   * The stages of {@code stride}, {@code 2 · stride} and {@code 4 · stride} over {@code 8 · stride}
   * elements, the stride at least a vector.
   */
  abstract void threeStages(int start, int stride);

  private static final class OfInts extends FastHadamard {
    private static final VectorSpecies<Integer> SPECIES = IntVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    private static final VectorShuffle<Integer> BY_1 = partner(1);
    private static final VectorShuffle<Integer> BY_2 = partner(2);
    private static final VectorShuffle<Integer> BY_4 = partner(4);
    private static final VectorShuffle<Integer> BY_8 = partner(8);
    private static final VectorMask<Integer> UPPER_1 = upper(1);
    private static final VectorMask<Integer> UPPER_2 = upper(2);
    private static final VectorMask<Integer> UPPER_4 = upper(4);
    private static final VectorMask<Integer> UPPER_8 = upper(8);

    private final int[] a;

    OfInts(int[] a) {
      super(LANES, Integer.BYTES);
      this.a = a;
    }

    private static VectorShuffle<Integer> partner(int stride) {
      return VectorShuffle.fromOp(SPECIES, lane -> (lane ^ stride) % LANES);
    }

    private static VectorMask<Integer> upper(int stride) {
      return IntVector.zero(SPECIES).addIndex(1).and(stride).compare(VectorOperators.NE, 0);
    }

    @Override
    void stagesInsideVectors(int start, int length) {
      for (int j = start; j < start + length; j += LANES) {
        IntVector x = IntVector.fromArray(SPECIES, a, j);
        x = x.rearrange(BY_1).add(x.lanewise(VectorOperators.NEG, UPPER_1));
        x = x.rearrange(BY_2).add(x.lanewise(VectorOperators.NEG, UPPER_2));
        if (LANES > 4) {
          x = x.rearrange(BY_4).add(x.lanewise(VectorOperators.NEG, UPPER_4));
        }
        if (LANES > 8) {
          x = x.rearrange(BY_8).add(x.lanewise(VectorOperators.NEG, UPPER_8));
        }
        x.intoArray(a, j);
      }
    }

    @Override
    void shortStage(int start, int stride) {
      for (int j = start; j < start + stride; j++) {
        int x = a[j];
        int y = a[j + stride];
        a[j] = x + y;
        a[j + stride] = x - y;
      }
    }

    @Override
    void stage(int start, int stride) {
      for (int j = start; j < start + stride; j += LANES) {
        IntVector x = IntVector.fromArray(SPECIES, a, j);
        IntVector y = IntVector.fromArray(SPECIES, a, j + stride);
        x.add(y).intoArray(a, j);
        x.sub(y).intoArray(a, j + stride);
      }
    }

    @Override
    void threeStages(int start, int stride) {
      for (int j = start; j < start + stride; j += LANES) {
        IntVector a0 = IntVector.fromArray(SPECIES, a, j);
        IntVector a1 = IntVector.fromArray(SPECIES, a, j + stride);
        IntVector a2 = IntVector.fromArray(SPECIES, a, j + 2 * stride);
        IntVector a3 = IntVector.fromArray(SPECIES, a, j + 3 * stride);
        IntVector a4 = IntVector.fromArray(SPECIES, a, j + 4 * stride);
        IntVector a5 = IntVector.fromArray(SPECIES, a, j + 5 * stride);
        IntVector a6 = IntVector.fromArray(SPECIES, a, j + 6 * stride);
        IntVector a7 = IntVector.fromArray(SPECIES, a, j + 7 * stride);
        IntVector b0 = a0.add(a1);
        IntVector b1 = a0.sub(a1);
        IntVector b2 = a2.add(a3);
        IntVector b3 = a2.sub(a3);
        IntVector b4 = a4.add(a5);
        IntVector b5 = a4.sub(a5);
        IntVector b6 = a6.add(a7);
        IntVector b7 = a6.sub(a7);
        a0 = b0.add(b2);
        a1 = b1.add(b3);
        a2 = b0.sub(b2);
        a3 = b1.sub(b3);
        a4 = b4.add(b6);
        a5 = b5.add(b7);
        a6 = b4.sub(b6);
        a7 = b5.sub(b7);
        a0.add(a4).intoArray(a, j);
        a1.add(a5).intoArray(a, j + stride);
        a2.add(a6).intoArray(a, j + 2 * stride);
        a3.add(a7).intoArray(a, j + 3 * stride);
        a0.sub(a4).intoArray(a, j + 4 * stride);
        a1.sub(a5).intoArray(a, j + 5 * stride);
        a2.sub(a6).intoArray(a, j + 6 * stride);
        a3.sub(a7).intoArray(a, j + 7 * stride);
      }
    }
  }

  private static final class OfDoubles extends FastHadamard {
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    private static final VectorShuffle<Double> BY_1 = partner(1);
    private static final VectorShuffle<Double> BY_2 = partner(2);
    private static final VectorShuffle<Double> BY_4 = partner(4);
    private static final VectorMask<Double> UPPER_1 = upper(1);
    private static final VectorMask<Double> UPPER_2 = upper(2);
    private static final VectorMask<Double> UPPER_4 = upper(4);

    private final double[] a;

    OfDoubles(double[] a) {
      super(LANES, Double.BYTES);
      this.a = a;
    }

    private static VectorShuffle<Double> partner(int stride) {
      return VectorShuffle.fromOp(SPECIES, lane -> (lane ^ stride) % LANES);
    }

    private static VectorMask<Double> upper(int stride) {
      boolean[] upper = new boolean[LANES];
      for (int lane = 0; lane < LANES; lane++) {
        upper[lane] = (lane & stride) != 0;
      }
      return VectorMask.fromArray(SPECIES, upper, 0);
    }

    @Override
    void stagesInsideVectors(int start, int length) {
      for (int j = start; j < start + length; j += LANES) {
        DoubleVector x = DoubleVector.fromArray(SPECIES, a, j);
        x = x.rearrange(BY_1).add(x.lanewise(VectorOperators.NEG, UPPER_1));
        if (LANES > 2) {
          x = x.rearrange(BY_2).add(x.lanewise(VectorOperators.NEG, UPPER_2));
        }
        if (LANES > 4) {
          x = x.rearrange(BY_4).add(x.lanewise(VectorOperators.NEG, UPPER_4));
        }
        x.intoArray(a, j);
      }
    }

    @Override
    void shortStage(int start, int stride) {
      for (int j = start; j < start + stride; j++) {
        double x = a[j];
        double y = a[j + stride];
        a[j] = x + y;
        a[j + stride] = x - y;
      }
    }

    @Override
    void stage(int start, int stride) {
      for (int j = start; j < start + stride; j += LANES) {
        DoubleVector x = DoubleVector.fromArray(SPECIES, a, j);
        DoubleVector y = DoubleVector.fromArray(SPECIES, a, j + stride);
        x.add(y).intoArray(a, j);
        x.sub(y).intoArray(a, j + stride);
      }
    }

    @Override
    void threeStages(int start, int stride) {
      for (int j = start; j < start + stride; j += LANES) {
        DoubleVector a0 = DoubleVector.fromArray(SPECIES, a, j);
        DoubleVector a1 = DoubleVector.fromArray(SPECIES, a, j + stride);
        DoubleVector a2 = DoubleVector.fromArray(SPECIES, a, j + 2 * stride);
        DoubleVector a3 = DoubleVector.fromArray(SPECIES, a, j + 3 * stride);
        DoubleVector a4 = DoubleVector.fromArray(SPECIES, a, j + 4 * stride);
        DoubleVector a5 = DoubleVector.fromArray(SPECIES, a, j + 5 * stride);
        DoubleVector a6 = DoubleVector.fromArray(SPECIES, a, j + 6 * stride);
        DoubleVector a7 = DoubleVector.fromArray(SPECIES, a, j + 7 * stride);
        DoubleVector b0 = a0.add(a1);
        DoubleVector b1 = a0.sub(a1);
        DoubleVector b2 = a2.add(a3);
        DoubleVector b3 = a2.sub(a3);
        DoubleVector b4 = a4.add(a5);
        DoubleVector b5 = a4.sub(a5);
        DoubleVector b6 = a6.add(a7);
        DoubleVector b7 = a6.sub(a7);
        a0 = b0.add(b2);
        a1 = b1.add(b3);
        a2 = b0.sub(b2);
        a3 = b1.sub(b3);
        a4 = b4.add(b6);
        a5 = b5.add(b7);
        a6 = b4.sub(b6);
        a7 = b5.sub(b7);
        a0.add(a4).intoArray(a, j);
        a1.add(a5).intoArray(a, j + stride);
        a2.add(a6).intoArray(a, j + 2 * stride);
        a3.add(a7).intoArray(a, j + 3 * stride);
        a0.sub(a4).intoArray(a, j + 4 * stride);
        a1.sub(a5).intoArray(a, j + 5 * stride);
        a2.sub(a6).intoArray(a, j + 6 * stride);
        a3.sub(a7).intoArray(a, j + 7 * stride);
      }
    }
  }
}
