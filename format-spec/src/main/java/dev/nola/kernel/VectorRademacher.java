package dev.nola.kernel;

import static dev.nola.kernel.VectorPhilox.INTS;
import static dev.nola.kernel.VectorPhilox.LANES;
import static dev.nola.kernel.VectorPhilox.ROW;

import dev.nola.generator.Basis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Sums of rademacher, bit by bit: one logical instruction works on as many elements as a vector has
 * bits.
 *
 * <p>With the bits of basis vectors of negative v inverted, Σ v·b = Σ |v| − 2·Σ |v|·bit. Basis
 * vectors whose |v| have the same digit in the same place are counted together, whatever their
 * number: Σ |v|·bit is the sum of those counts, each times its digit's weight.
 */
final class VectorRademacher {
  private static final int BLOCK = 128;

  /** Basis vectors whose bits are held at once: few enough for a second cache. */
  private static final int CHUNK = 256;

  /** Bits of a digit. */
  private static final int DIGIT = 4;

  private final VectorPhilox philox;
  private final int[] coefficients;

  /** Σ |v|. */
  private final long magnitudes;

  private final List<Counter> counters = new ArrayList<>();
  private final int[] words;

  /** Bits on the way from one plane to the next, for even and odd planes. */
  private final int[][] carries;

  /** Of element 32w + p of the block in lane b at [(32w + p) · LANES + b]. */
  private final int[] counts = new int[BLOCK * LANES];

  /** Σ |v|·bit, like {@link #counts}. */
  private final long[] sums = new long[BLOCK * LANES];

  VectorRademacher(Basis basis, int[] coefficients) {
    this.philox = new VectorPhilox(basis);
    this.coefficients = coefficients;
    int chunk = Math.min(CHUNK, coefficients.length);
    this.words = new int[chunk * ROW];
    this.carries = new int[2][(chunk / 2 + 1) * LANES];
    long sum = 0;
    int bits = 0;
    for (int v : coefficients) {
      sum += Math.abs(v);
      bits |= Math.abs(v);
    }
    this.magnitudes = sum;
    for (int place = 0; bits >>> place != 0; place += DIGIT) {
      for (int digit = 1; digit < 1 << DIGIT; digit++) {
        Counter counter = new Counter(coefficients, place, digit);
        if (counter.levels > 0) {
          counters.add(counter);
        }
      }
    }
  }

  void combine(float scale, Kernel.Target target, int start, int end) {
    int blocks = (end - 1) / BLOCK + 1;
    for (long block = start / BLOCK; block < blocks; block += LANES) {
      sum((int) block);
      for (int lane = 0; lane < LANES && block + lane < blocks; lane++) {
        int offset = (int) (block + lane) * BLOCK;
        int count = Math.min(BLOCK, end - offset);
        for (int p = 0; p < count; p++) {
          target.set(
              offset + p, ScalarKernel.rounded(magnitudes - 2 * sums[p * LANES + lane], scale));
        }
      }
    }
  }

  /** Leaves Σ |v|·bit of {@link VectorPhilox#LANES} blocks in {@link #sums}. */
  private void sum(int block) {
    for (Counter counter : counters) {
      Arrays.fill(counter.planes, 0);
    }
    for (int first = 0; first < coefficients.length; first += CHUNK) {
      int count = Math.min(CHUNK, coefficients.length - first);
      for (int n = 0; n < count; n++) {
        philox.words(block, first + n, coefficients[first + n] >> 31, words, n * ROW);
      }
      for (Counter counter : counters) {
        counter.add(first / CHUNK, words, carries);
      }
    }
    Arrays.fill(sums, 0);
    for (Counter counter : counters) {
      counter.read(counts);
      for (int s = 0; s < counts.length; s++) {
        sums[s] += counter.weight * counts[s];
      }
    }
  }

  /** Counts, for every element, the basis vectors of one digit that have a one there. */
  private static final class Counter {
    final long weight;

    /** Bits of the highest count. */
    final int levels;

    /** Plane j holds bit j of all counts, the planes of a word together. */
    final int[] planes;

    /** Where the basis vectors of each chunk are in the chunk's words. */
    private final int[][] rows;

    Counter(int[] coefficients, int place, int digit) {
      this.weight = (long) digit << place;
      int chunks = (coefficients.length - 1) / CHUNK + 1;
      this.rows = new int[chunks][];
      int total = 0;
      for (int chunk = 0; chunk < chunks; chunk++) {
        int first = chunk * CHUNK;
        rows[chunk] =
            IntStream.range(first, Math.min(first + CHUNK, coefficients.length))
                .filter(i -> (Math.abs(coefficients[i]) >>> place & (1 << DIGIT) - 1) == digit)
                .map(i -> (i - first) * ROW)
                .toArray();
        total += rows[chunk].length;
      }
      this.levels = Integer.SIZE - Integer.numberOfLeadingZeros(total);
      this.planes = new int[levels * ROW];
    }

    void add(int chunk, int[] words, int[][] carries) {
      int[] entries = rows[chunk];
      if (entries.length == 0) {
        return;
      }
      for (int w = 0; w < 4; w++) {
        int plane = w * levels * LANES;
        addRows(entries, words, w * LANES, plane, carries[1]);
        int count = (entries.length + 1) / 2;
        for (int level = 1; level < levels; level++) {
          plane += LANES;
          addCarries(count, carries[level & 1], plane, carries[level + 1 & 1]);
          count = (count + 1) / 2;
        }
      }
    }

    private void addRows(int[] entries, int[] words, int word, int plane, int[] out) {
      IntVector sum = IntVector.fromArray(INTS, planes, plane);
      int pairs = entries.length / 2;
      for (int n = 0; n < pairs; n++) {
        IntVector x = IntVector.fromArray(INTS, words, entries[2 * n] + word);
        IntVector y = IntVector.fromArray(INTS, words, entries[2 * n + 1] + word);
        IntVector difference = x.lanewise(VectorOperators.XOR, y);
        x.and(y).or(difference.and(sum)).intoArray(out, n * LANES);
        sum = difference.lanewise(VectorOperators.XOR, sum);
      }
      if (2 * pairs < entries.length) {
        IntVector x = IntVector.fromArray(INTS, words, entries[2 * pairs] + word);
        x.and(sum).intoArray(out, pairs * LANES);
        sum = x.lanewise(VectorOperators.XOR, sum);
      }
      sum.intoArray(planes, plane);
    }

    private void addCarries(int count, int[] inputs, int plane, int[] out) {
      IntVector sum = IntVector.fromArray(INTS, planes, plane);
      int pairs = count / 2;
      for (int n = 0; n < pairs; n++) {
        IntVector x = IntVector.fromArray(INTS, inputs, 2 * n * LANES);
        IntVector y = IntVector.fromArray(INTS, inputs, (2 * n + 1) * LANES);
        IntVector difference = x.lanewise(VectorOperators.XOR, y);
        x.and(y).or(difference.and(sum)).intoArray(out, n * LANES);
        sum = difference.lanewise(VectorOperators.XOR, sum);
      }
      if (2 * pairs < count) {
        IntVector x = IntVector.fromArray(INTS, inputs, 2 * pairs * LANES);
        x.and(sum).intoArray(out, pairs * LANES);
        sum = x.lanewise(VectorOperators.XOR, sum);
      }
      sum.intoArray(planes, plane);
    }

    void read(int[] counts) {
      for (int w = 0; w < 4; w++) {
        for (int p = 0; p < Integer.SIZE; p++) {
          IntVector count = IntVector.zero(INTS);
          for (int level = 0; level < levels; level++) {
            count =
                IntVector.fromArray(INTS, planes, (w * levels + level) * LANES)
                    .lanewise(VectorOperators.LSHR, p)
                    .and(1)
                    .lanewise(VectorOperators.LSHL, level)
                    .or(count);
          }
          count.intoArray(counts, (w * Integer.SIZE + p) * LANES);
        }
      }
    }
  }
}
