package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;

/**
 * The four inner loops of the format. Implementations are stateless, safe for use by any number of
 * threads, and bitwise equal to each other for every input; {@link ScalarKernel} defines the bits.
 */
public interface Kernel {
  /** Elements that no part of a factor divides: a multiple of every generator's Philox block. */
  int BLOCK = 128;

  /** Partial sums of a transposed product. */
  int PARTIAL_SUMS = 16;

  /** What people call it, such as {@code scalar}. */
  String name();

  /**
   * A part of a factor: {@code factor[e] = f32(f64(Σᵢ vᵢ·bᵢ[e])·f64(scale))} for from ≤ e < to, the
   * sum exact, both roundings to nearest even, a zero stored as +0 (SPEC.md section 7.1). For side
   * B, scale is 1.
   *
   * @param basis names the integers b; its length is that of {@code factor}
   * @param coefficients the odd integers v, at most as many as {@code
   *     basis.generator().maxCoefficients} allows
   * @param scale the layer's scale for side A, 1 for side B
   * @param factor receives the elements, row-major
   * @param from first element, a multiple of {@value #BLOCK}; 0 for {@link Generator#SRHT}, whose
   *     elements come from one transform
   * @param to the end, the factor's length or a multiple of {@value #BLOCK}; the factor's length
   *     for {@link Generator#SRHT}
   */
  void combine(Basis basis, int[] coefficients, float scale, float[] factor, int from, int to);

  /** The whole of a factor. */
  default void combine(Basis basis, int[] coefficients, float scale, float[] factor) {
    combine(basis, coefficients, scale, factor, 0, factor.length);
  }

  /**
   * Transposed products, with which coefficients are trained: {@code products[i] = Σₑ
   * bᵢ[e]·gradient[e]} for from ≤ i < to.
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
   * @param products receives the products; normalisation is the caller's
   * @param from first basis vector
   * @param to the end of the basis vectors
   */
  void project(Basis basis, float[] gradient, double[] products, int from, int to);

  /** All transposed products that {@code products} has room for. */
  default void project(Basis basis, float[] gradient, double[] products) {
    project(basis, gradient, products, 0, products.length);
  }

  /**
   * A block of ΔW: {@code delta[i·count + j] = Σₜ f64(a[(row + i)·rank + t])·f64(b[t·cols + from +
   * j])} for 0 ≤ i < rows and 0 ≤ j < count, t ascending from +0, each step rounded to f64 (SPEC.md
   * section 7.2).
   *
   * @param a factor A, R×r row-major
   * @param b factor B, r×C row-major
   * @param rank r
   * @param cols C
   * @param row the first row
   * @param rows number of rows
   * @param from the first column
   * @param count number of columns
   * @param delta receives the block, row-major
   */
  void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int rows,
      int from,
      int count,
      double[] delta);

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
   * @param multipliers w, one a delta
   * @param deltas Δ
   * @param at index of the first element's Δ in each of {@code deltas}
   * @return the first of these elements, counted from {@code first}, whose finite weight did not
   *     stay finite; {@code merged} is of no use then. Or −1
   */
  int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      double[] multipliers,
      double[][] deltas,
      int at);
}
