package dev.nola.client.lock;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/** A backend with one wrong bit: the lowest of element 3 of every factor B in one stream. */
final class FaultyKernel implements Kernel {
  static final int ELEMENT = 3;

  private final Kernel sound = Kernels.scalar();
  private final int stream;

  FaultyKernel(int stream) {
    this.stream = stream;
  }

  @Override
  public String name() {
    return "faulty";
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    sound.combine(basis, coefficients, scale, factor, from, to);
    if (basis.side() == Side.B && basis.stream() == stream && from <= ELEMENT && ELEMENT < to) {
      factor[ELEMENT] = Float.intBitsToFloat(Float.floatToRawIntBits(factor[ELEMENT]) ^ 1);
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    sound.project(basis, gradient, products, from, to);
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
    sound.delta(a, b, rank, cols, row, rows, from, count, delta);
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
    return sound.merge(dtype, weights, merged, first, count, multipliers, deltas, at);
  }
}
