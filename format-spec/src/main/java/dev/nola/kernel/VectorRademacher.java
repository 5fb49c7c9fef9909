package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Sums of rademacher, bit by bit: plane j holds bit j of every element's sum, and one logical
 * instruction works on as many elements as a vector has bits.
 *
 * <p>With the bits of basis vectors of negative v inverted, Σ v·b = Σ |v| − 2·Σ |v|·bit. A row of
 * Philox bits is added to plane j wherever bit j of |v| is set: two rows and the plane go through a
 * full adder, which leaves the sum in the plane and a carry row for the next plane.
 */
final class VectorRademacher {
  private static final int BLOCK = 128;

  /** Basis vectors whose rows are added together: their rows and carries stay in a first cache. */
  private static final int CHUNK = 32;

  /** Planes that are read into an int at once. */
  private static final int INT_PLANES = 31;

  private final Basis basis;
  private final int[] coefficients;

  /** Σ |v|, and its bits: as many planes as the sums can need. */
  private final long magnitudes;

  private final int levels;

  /** Rows of Philox bits, then two areas of carry rows for even and odd levels. */
  private final int[] rows = new int[(CHUNK + 2 * (CHUNK + 1)) * ROW];

  /** Where the rows of one level are. */
  private final int[] list = new int[2 * CHUNK + 1];

  private final int[] planes;

  /** Σ |v|·bit of element 32w + p of the block in lane b at [(32w + p) · LANES + b]. */
  private final int[] counts = new int[BLOCK * LANES];

  private final long[] sums = new long[BLOCK * LANES];

  VectorRademacher(Basis basis, int[] coefficients) {
    this.basis = basis;
    this.coefficients = coefficients;
    long sum = 0;
    for (int v : coefficients) {
      sum += Math.abs(v);
    }
    this.magnitudes = sum;
    this.levels = Long.SIZE - Long.numberOfLeadingZeros(sum);
    this.planes = new int[levels * ROW];
  }

  void combine(float scale, float[] factor, int from, int to) {
    int blocks = (to - 1) / BLOCK + 1;
    for (long block = from / BLOCK; block < blocks; block += LANES) {
      Arrays.fill(planes, 0);
      for (int i = 0; i < coefficients.length; i += CHUNK) {
        add((int) block, i, Math.min(CHUNK, coefficients.length - i));
      }
      readPlanes();
      for (int lane = 0; lane < LANES && block + lane < blocks; lane++) {
        int at = (int) (block + lane) * BLOCK;
        int count = Math.min(BLOCK, to - at);
        for (int p = 0; p < count; p++) {
          factor[at + p] = ScalarKernel.rounded(magnitudes - 2 * sums[p * LANES + lane], scale);
        }
      }
    }
  }

  private void add(int block, int first, int count) {
    VectorPhilox.words(basis, block, first, count, rows);
    for (int n = 0; n < count; n++) {
      if (coefficients[first + n] < 0) {
        invert(n * ROW);
      }
    }
    int carries = 0;
    for (int level = 0; level < levels; level++) {
      int entries = 0;
      for (int n = 0; n < count; n++) {
        if ((Math.abs(coefficients[first + n]) >>> level & 1) != 0) {
          list[entries++] = n * ROW;
        }
      }
      int carriesIn = area(level);
      for (int n = 0; n < carries; n++) {
        list[entries++] = carriesIn + n * ROW;
      }
      int carriesOut = area(level + 1);
      for (int w = 0; w < ROW; w += LANES) {
        addToPlane(level * ROW + w, w, entries, carriesOut + w);
      }
      carries = (entries + 1) / 2;
    }
  }

  private static int area(int level) {
    return (CHUNK + (level & 1) * (CHUNK + 1)) * ROW;
  }

  private void invert(int row) {
    for (int at = row; at < row + ROW; at += LANES) {
      IntVector.fromArray(INTS, rows, at).lanewise(VectorOperators.NOT).intoArray(rows, at);
    }
  }

  /**
   * Adds one vector of each listed row to a plane, and writes the carries from {@code carry} on.
   */
  private void addToPlane(int plane, int offset, int entries, int carry) {
    IntVector sum = IntVector.fromArray(INTS, planes, plane);
    int n = 0;
    for (; n + 1 < entries; n += 2) {
      IntVector x = IntVector.fromArray(INTS, rows, list[n] + offset);
      IntVector y = IntVector.fromArray(INTS, rows, list[n + 1] + offset);
      IntVector difference = x.lanewise(VectorOperators.XOR, y);
      x.and(y).or(difference.and(sum)).intoArray(rows, carry);
      sum = difference.lanewise(VectorOperators.XOR, sum);
      carry += ROW;
    }
    if (n < entries) {
      IntVector x = IntVector.fromArray(INTS, rows, list[n] + offset);
      x.and(sum).intoArray(rows, carry);
      sum = x.lanewise(VectorOperators.XOR, sum);
    }
    sum.intoArray(planes, plane);
  }

  private void readPlanes() {
    Arrays.fill(sums, 0);
    for (int level = 0; level < levels; level += INT_PLANES) {
      count(level, Math.min(levels, level + INT_PLANES));
      for (int s = 0; s < counts.length; s++) {
        sums[s] += (long) counts[s] << level;
      }
    }
  }

  private void count(int from, int to) {
    for (int w = 0; w < 4; w++) {
      for (int p = 0; p < Integer.SIZE; p++) {
        IntVector count = IntVector.zero(INTS);
        for (int level = from; level < to; level++) {
          count =
              IntVector.fromArray(INTS, planes, level * ROW + w * LANES)
                  .lanewise(VectorOperators.LSHR, p)
                  .and(1)
                  .lanewise(VectorOperators.LSHL, level - from)
                  .or(count);
        }
        count.intoArray(counts, (w * Integer.SIZE + p) * LANES);
      }
    }
  }
}
