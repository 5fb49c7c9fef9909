package dev.nola.trainer.worker;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/** A kernel that has one bit of one element wrong. */
record WrongKernel(int stream, Side side, int element) implements Kernel {
  private static final Kernel RIGHT = Kernels.scalar();

  @Override
  public String name() {
    return "wrong";
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    RIGHT.combine(basis, coefficients, scale, factor, from, to);
    if (basis.stream() == stream && basis.side() == side) {
      factor[element] = Float.intBitsToFloat(Float.floatToRawIntBits(factor[element]) ^ 1);
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    RIGHT.project(basis, gradient, products, from, to);
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
    RIGHT.delta(a, b, rank, cols, row, rows, from, count, delta);
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
    return RIGHT.merge(dtype, weights, merged, first, count, multipliers, deltas, at);
  }
}
