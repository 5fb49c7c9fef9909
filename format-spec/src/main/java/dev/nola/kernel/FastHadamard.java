package dev.nola.kernel;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The Walsh–Hadamard transform of ints in natural order, without normalisation. Stages shorter than
 * a vector happen inside registers; longer ones are taken two at a time, and depth first, so that a
 * part is finished while it is in the cache.
 */
final class FastHadamard {
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final int LANES = INTS.length();

  /** Ints that are transformed without recursion: 32 KiB, a first cache's size. */
  private static final int CACHED = 1 << 13;

  private FastHadamard() {}

  /**
   * Transforms in place.
   *
   * @param a as many ints as a power of two says; every partial sum must fit
   */
  static void transform(int[] a) {
    if (a.length < LANES) {
      scalarStages(a, 1, a.length);
    } else {
      transform(a, 0, a.length);
    }
  }

  private static void transform(int[] a, int from, int length) {
    if (length <= CACHED) {
      insideVectors(a, from, length);
      int stride = LANES;
      for (; 4L * stride <= length; stride *= 4) {
        for (int group = from; group < from + length; group += 4 * stride) {
          twoStages(a, group, stride);
        }
      }
      if (stride < length) {
        oneStage(a, from, stride);
      }
      return;
    }
    int quarter = length / 4;
    for (int part = 0; part < 4; part++) {
      transform(a, from + part * quarter, quarter);
    }
    twoStages(a, from, quarter);
  }

  private static void scalarStages(int[] a, int first, int length) {
    for (int stride = first; stride < length; stride *= 2) {
      for (int j = 0; j < length; j++) {
        if ((j & stride) == 0) {
          int x = a[j];
          int y = a[j + stride];
          a[j] = x + y;
          a[j + stride] = x - y;
        }
      }
    }
  }

  /** All stages of strides 1 to LANES / 2. */
  private static void insideVectors(int[] a, int from, int length) {
    for (int stride = 1; stride < LANES; stride *= 2) {
      int distance = stride;
      VectorShuffle<Integer> partner = VectorShuffle.fromOp(INTS, lane -> lane ^ distance);
      VectorMask<Integer> upper =
          IntVector.zero(INTS)
              .addIndex(1)
              .lanewise(VectorOperators.AND, distance)
              .compare(VectorOperators.NE, 0);
      for (int j = from; j < from + length; j += LANES) {
        IntVector x = IntVector.fromArray(INTS, a, j);
        x.rearrange(partner).add(x.lanewise(VectorOperators.NEG, upper)).intoArray(a, j);
      }
    }
  }

  private static void oneStage(int[] a, int from, int stride) {
    for (int j = from; j < from + stride; j += LANES) {
      IntVector x = IntVector.fromArray(INTS, a, j);
      IntVector y = IntVector.fromArray(INTS, a, j + stride);
      x.add(y).intoArray(a, j);
      x.sub(y).intoArray(a, j + stride);
    }
  }

  /** The stages of {@code stride} and {@code 2 · stride} over {@code 4 · stride} ints. */
  private static void twoStages(int[] a, int from, int stride) {
    for (int j = from; j < from + stride; j += LANES) {
      IntVector w = IntVector.fromArray(INTS, a, j);
      IntVector x = IntVector.fromArray(INTS, a, j + stride);
      IntVector y = IntVector.fromArray(INTS, a, j + 2 * stride);
      IntVector z = IntVector.fromArray(INTS, a, j + 3 * stride);
      IntVector wx = w.add(x);
      IntVector yz = y.add(z);
      IntVector wMinusX = w.sub(x);
      IntVector yMinusZ = y.sub(z);
      wx.add(yz).intoArray(a, j);
      wMinusX.add(yMinusZ).intoArray(a, j + stride);
      wx.sub(yz).intoArray(a, j + 2 * stride);
      wMinusX.sub(yMinusZ).intoArray(a, j + 3 * stride);
    }
  }
}
