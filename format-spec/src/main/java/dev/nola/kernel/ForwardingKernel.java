package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import java.lang.foreign.MemorySegment;

/** Does what another kernel does, but for what a subclass does otherwise. */
public abstract class ForwardingKernel implements Kernel {
  /** What does the rest. */
  protected final Kernel kernel;

  /** Forwards to {@code kernel}. */
  protected ForwardingKernel(Kernel kernel) {
    this.kernel = kernel;
  }

  @Override
  public String name() {
    return kernel.name();
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    kernel.combine(basis, coefficients, scale, factor, from, to);
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    kernel.project(basis, gradient, products, from, to);
  }

  @Override
  public void delta(
      float[] a,
      float[] b,
      int rank,
      int cols,
      int row,
      int rows,
      int from,
      int count,
      double[] delta) {
    kernel.delta(a, b, rank, cols, row, rows, from, count, delta);
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      double[] multipliers,
      double[][] deltas,
      int at) {
    return kernel.merge(dtype, weights, merged, first, count, multipliers, deltas, at);
  }
}
