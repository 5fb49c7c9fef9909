package dev.nola.trainer.coverage;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/**
 * Measures how many dimensions of the space of d×d updates ΔW the methods reach (paper, appendix
 * A.1): the rank of the covariance of updates with random coefficients.
 *
 * <p>Updates are integers here: coefficients are uniform in ±(2¹⁶ − 1), the range of 16-bit codes,
 * and scales, which change no rank, are left out.
 */
public final class RankCoverage {
  private static final int CODE_BITS = 16;
  private static final int MAX_CODE = (1 << CODE_BITS) - 1;

  /**
   * Samples in a row that add no dimension before no more are drawn. An update is a polynomial of
   * degree 2 or less in its coefficients, so that one lies within a smaller span than all of them
   * together with a probability of at most 2/(2¹⁷ − 1) (Schwartz–Zippel).
   */
  private static final int REPEATS = 8;

  private final Generator generator;
  private final long seed;

  /**
   * Creates a measurement.
   *
   * @param generator generator of the bases
   * @param seed seed of bases and coefficients
   */
  public RankCoverage(Generator generator, long seed) {
    this.generator = generator;
    this.seed = seed;
  }

  /**
   * Measures NOLA, whose ΔW is a product of d×r and r×d.
   *
   * @param size d
   * @param rank r
   * @param k number of coefficients of the first factor
   * @param l number of coefficients of the second factor
   * @return number of dimensions, at most d²
   * @throws IllegalArgumentException if the generator does not have as many basis vectors
   * @throws InterruptedException if the thread is interrupted
   */
  public int nola(int size, int rank, int k, int l) throws InterruptedException {
    int[][] basisA = basis(Side.A, size * rank, k);
    int[][] basisB = basis(Side.B, rank * size, l);
    SplittableRandom random = new SplittableRandom(seed);
    return dimensions(
        size * size, () -> product(size, rank, sum(basisA, random), sum(basisB, random)));
  }

  /**
   * Measures PRANC, whose ΔW is a sum of random matrices.
   *
   * @param size d
   * @param n number of coefficients
   * @return number of dimensions, at most d²
   * @throws IllegalArgumentException if the generator does not have as many basis vectors
   * @throws InterruptedException if the thread is interrupted
   */
  public int pranc(int size, int n) throws InterruptedException {
    int[][] basis = basis(Side.A, size * size, n);
    SplittableRandom random = new SplittableRandom(seed);
    return dimensions(size * size, () -> sum(basis, random));
  }

  private int[][] basis(Side side, int length, int count) {
    long maximum = generator.maxCoefficients(length, CODE_BITS);
    if (count > maximum) {
      throw new IllegalArgumentException(
          "invalid number of coefficients: %d; %s has at most %d for %d elements"
              .formatted(count, generator.label(), maximum, length));
    }
    Basis basis = new Basis(generator, seed, 0, side, length);
    int[][] vectors = new int[count][length];
    for (int i = 0; i < count; i++) {
      basis.vector(i, 0, length, vectors[i]);
    }
    return vectors;
  }

  /** Returns the dimensions of differences from the first sample: the rank of the covariance. */
  private static int dimensions(int length, Supplier<long[]> sample) throws InterruptedException {
    ModularSpan span = new ModularSpan(length);
    long[] first = sample.get();
    for (int repeats = 0; repeats < REPEATS && span.dimensions() < length; ) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the measurement was interrupted");
      }
      long[] difference = sample.get();
      for (int i = 0; i < length; i++) {
        difference[i] = ModularSpan.reduce(difference[i] - first[i]);
      }
      repeats = span.add(difference) ? 0 : repeats + 1;
    }
    return span.dimensions();
  }

  /** Returns Σᵢ vᵢ·bᵢ for new coefficients v, modulo the prime. */
  private static long[] sum(int[][] basis, SplittableRandom random) {
    long[] sum = new long[basis[0].length];
    for (int[] vector : basis) {
      long coefficient = random.nextInt(-MAX_CODE, MAX_CODE + 1);
      for (int e = 0; e < sum.length; e++) {
        sum[e] += coefficient * vector[e]; // exact: maxCoefficients keeps it below 2⁵³
      }
    }
    for (int e = 0; e < sum.length; e++) {
      sum[e] = ModularSpan.reduce(sum[e]);
    }
    return sum;
  }

  private static long[] product(int size, int rank, long[] a, long[] b) {
    long[] product = new long[size * size];
    for (int row = 0; row < size; row++) {
      for (int t = 0; t < rank; t++) {
        for (int column = 0; column < size; column++) {
          int element = row * size + column;
          product[element] =
              ModularSpan.reduce(product[element] + a[row * rank + t] * b[t * size + column]);
        }
      }
    }
    return product;
  }
}
