package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import java.lang.foreign.MemorySegment;

/**
 * The four inner loops of the format. Implementations are stateless, safe for use by any number of
 * threads, and bitwise equal to each other for every input; {@link ScalarKernel} defines the bits.
 */
public interface Kernel {
  /** What people call it, such as {@code scalar}. */
  String name();

  /**
   * A factor: {@code factor[e] = f32(f64(Σᵢ vᵢ·bᵢ[e])·f64(scale))}, the sum exact, both roundings
   * to nearest even, a zero stored as +0 (SPEC.md section 7.1). For side B, scale is 1.
   *
   * @param basis names the integers b; its length is that of {@code factor}
   * @param coefficients the odd integers v, at most as many as {@code
   *     basis.generator().maxCoefficients} allows
   * @param scale the layer's scale for side A, 1 for side B
   * @param factor receives the factor, row-major
   */
  void combine(Basis basis, int[] coefficients, float scale, float[] factor);

  /**
   * The transposed product, with which coefficients are trained: {@code products[i] = Σₑ
   * bᵢ[e]·gradient[e]}, where i runs over the length of {@code products}.
   *
   * <p>Sums are in f64 and in one fixed order, so that training is reproducible: element e of an
   * independent basis adds to partial sum e mod {@value ScalarKernel#LANES} in ascending order, and
   * the partial sums are added in halves, j and j + 8, j and j + 4, j and j + 2, 0 and 1. For
   * {@link dev.nola.generator.Generator#SRHT} elements equal modulo N are added in ascending order
   * under their signs, and a fast Walsh–Hadamard transform with ascending strides follows.
   *
   * @param basis names the integers b; its length is that of {@code gradient}
   * @param gradient the gradient of the loss with respect to the factor, row-major
   * @param products receives the products; divide by nothing, normalisation is the caller's
   */
  void project(Basis basis, float[] gradient, double[] products);

  /**
   * A part of one row of ΔW: {@code delta[j] = Σₜ f64(a[row·rank + t])·f64(b[t·cols + from + j])}
   * for 0 ≤ j < count, t ascending from +0, each step rounded to f64 (SPEC.md section 7.2).
   *
   * @param a factor A, R×r row-major
   * @param b factor B, r×C row-major
   * @param rank r
   * @param cols C
   * @param row i
   * @param from the first column
   * @param count number of columns
   * @param delta receives the values from index {@code at}
   * @param at index of the first value in {@code delta}
   */
  void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int from,
      int count,
      double[] delta,
      int at);

  /**
   * Adds deltas to weights: {@code merged = f64(weight) + w₀·Δ₀ + w₁·Δ₁ …} in f64, in the order
   * given, product and sum each rounded, then rounded to f32 and, for f16 and bf16, from f32 to
   * that type (SPEC.md section 7.3). A NaN or infinite weight keeps its bits.
   *
   * @param dtype type of the weights
   * @param weights {@code count} elements, little-endian
   * @param merged receives as many; may be the same memory
   * @param count number of elements
   * @param multipliers w, one a delta
   * @param deltas Δ, each of at least {@code count} values
   * @return the first element whose finite weight did not stay finite, or −1; {@code merged} is of
   *     no use then
   */
  int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      int count,
      double[] multipliers,
      double[][] deltas);
}
