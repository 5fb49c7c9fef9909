package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;

/**
 * The four inner loops of the format. Implementations are stateless, safe for use by any number of
 * threads, and bitwise equal to each other for every input; {@code ScalarKernel} defines the bits.
 */
public interface Kernel {
  /** Parts of a factor begin at multiples of this many elements: every generator's Philox block. */
  int BLOCK = 128;

  /** Elements that {@link #stream} computes at a time; a multiple of every part's beginning. */
  int CHUNK = 1 << 20;

  /** The number of partial sums of a transposed product. */
  int PARTIAL_SUMS = 16;

  /**
   * A block of ΔW.
   *
   * @param row the first row
   * @param rows number of rows
   * @param column the first column
   * @param columns number of columns
   */
  record Block(int row, int rows, int column, int columns) {}

  /**
   * What a merge adds to weights: Σₙ multipliers[n]·deltas[n], in ascending order of n.
   *
   * @param multipliers w, one a delta
   * @param deltas Δ, each row-major
   * @param offset index of the first element in each of {@code deltas}
   */
  record Summands(double[] multipliers, double[][] deltas, int offset) {
    /**
     * Returns the summands of later elements.
     *
     * @param elements number of elements to skip
     * @return the same deltas from there on
     */
    Summands skip(int elements) {
      return new Summands(multipliers, deltas, offset + elements);
    }
  }

  /**
   * Receives elements of a factor, row-major.
   *
   * @param array element e of the factor goes to index e − first
   * @param first the factor's element at index 0: 0 for an array of the whole factor
   */
  record Target(float[] array, int first) {
    /**
     * Stores an element.
     *
     * @param element its index in the factor
     * @param value its value
     */
    void set(int element, float value) {
      array[element - first] = value;
    }
  }

  /**
   * Returns the name for people.
   *
   * @return such as {@code scalar}
   */
  String name();

  /**
   * Computes a part of a factor: element e is {@code f32(f64(Σᵢ vᵢ·bᵢ[e])·f64(scale))} for {@code
   * start ≤ e < end}, the sum exact, both roundings to nearest even, a zero stored as +0 (SPEC.md
   * section 7.1).
   *
   * @param basis names the integers b; its length is that of the factor
   * @param coefficients the odd integers v, at most as many as {@code
   *     basis.generator().maxCoefficients} allows
   * @param scale the layer's scale for side A, 1 for side B
   * @param target receives the elements
   * @param start first element, a multiple of {@value #BLOCK}; 0 for {@link Generator#SRHT}, whose
   *     elements come from one transform
   * @param end one past the last element: the factor's length, or, unless the generator is {@link
   *     Generator#SRHT}, a multiple of {@value #BLOCK}
   */
  void combine(Basis basis, int[] coefficients, float scale, Target target, int start, int end);

  /**
   * Computes a whole factor.
   *
   * @param basis names the integers b; its length is that of {@code factor}
   * @param coefficients the odd integers v
   * @param scale the layer's scale for side A, 1 for side B
   * @param factor receives the elements, row-major
   */
  default void combine(Basis basis, int[] coefficients, float scale, float[] factor) {
    combine(basis, coefficients, scale, new Target(factor, 0), 0, factor.length);
  }

  /** Receives a factor in parts, in ascending order of its elements. */
  @FunctionalInterface
  interface Sink {
    /**
     * Receives the next elements.
     *
     * @param elements holds them from index 0; reused for the next part
     * @param count the number of elements
     */
    void accept(float[] elements, int count);
  }

  /**
   * Computes a whole factor and passes it on in parts of up to {@value #CHUNK} elements, so that it
   * need not be in memory whole. Of {@link Generator#SRHT} the transform is; a kernel that does not
   * divide what comes from it passes on the factor as one part.
   *
   * @param basis names the integers b; its length is that of the factor
   * @param coefficients the odd integers v
   * @param scale the layer's scale for side A, 1 for side B
   * @param sink receives the elements
   */
  default void stream(Basis basis, int[] coefficients, float scale, Sink sink) {
    int length = basis.length();
    float[] part =
        new float[basis.generator() == Generator.SRHT ? length : Math.min(length, CHUNK)];
    for (long first = 0; first < length; first += part.length) {
      int start = (int) first;
      int end = (int) Math.min(length, first + part.length);
      combine(basis, coefficients, scale, new Target(part, start), start, end);
      sink.accept(part, end - start);
    }
  }

  /**
   * Computes transposed products, which training needs: {@code products[i] = Σₑ bᵢ[e]·gradient[e]}
   * for {@code start ≤ i < end}.
   *
   * <p>Sums are in f64 and in one fixed order, so that training is reproducible: element e of an
   * independent basis adds to partial sum (e div n) mod {@value #PARTIAL_SUMS}, n being {@link
   * Generator#perBlock()}, in ascending order, and the partial sums are added in halves, j and j +
   * 8, j and j + 4, j and j + 2, 0 and 1. For {@link Generator#SRHT} elements equal modulo N are
   * added in ascending order under their signs, and a fast Walsh–Hadamard transform with ascending
   * strides follows.
   *
   * @param basis names the integers b; its length is that of {@code gradient}
   * @param gradient the gradient of the loss with respect to the factor, row-major
   * @param products receives the products, not normalised
   * @param start first basis vector
   * @param end one past the last basis vector
   */
  void project(Basis basis, float[] gradient, double[] products, int start, int end);

  /**
   * Computes as many transposed products as {@code products} has elements.
   *
   * @param basis names the integers b; its length is that of {@code gradient}
   * @param gradient the gradient of the loss with respect to the factor, row-major
   * @param products receives the products, not normalised
   */
  default void project(Basis basis, float[] gradient, double[] products) {
    project(basis, gradient, products, 0, products.length);
  }

  /**
   * Computes a block of ΔW: {@code delta[i·columns + j] = Σₜ f64(a[(row + i)·rank +
   * t])·f64(b[t·cols + column + j])} for {@code 0 ≤ i < rows} and {@code 0 ≤ j < columns}, t
   * ascending from +0, each step rounded to f64 (SPEC.md section 7.2).
   *
   * @param a factor A, R×r row-major
   * @param b factor B, r×C row-major
   * @param rank r
   * @param cols C
   * @param block rows and columns to compute
   * @param delta receives the block, row-major
   */
  void delta(float[] a, float[] b, int rank, int cols, Block block, double[] delta);

  /**
   * Adds deltas to weights: {@code merged = f64(weight) + w₀·Δ₀ + w₁·Δ₁ …} in f64, in the order
   * given, product and sum each rounded, then rounded to f32 and, for f16 and bf16, from f32 to
   * that type (SPEC.md section 7.3). A NaN or infinite weight keeps its bits.
   *
   * @param dtype type of the weights
   * @param weights elements, little-endian
   * @param merged receives the merged elements, at the same place; may be the same memory
   * @param first the first element of both to merge
   * @param count number of elements to merge
   * @param summands the multipliers w and the deltas Δ
   * @return the first of these elements, counted from {@code first}, whose finite weight did not
   *     stay finite, which leaves {@code merged} undefined; or −1
   */
  int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      Summands summands);
}
