package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;

/**
 * The kernel on the Vector API, at whatever width the machine has. Lanes are blocks of Philox: each
 * step computes one block of as many counters as an int vector has lanes and uses it at once, so
 * that no basis is ever stored.
 */
final class VectorKernel implements Kernel {
  static final String NAME = "vector";

  private final ScalarKernel scalar = new ScalarKernel();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, float[] factor, int from, int to) {
    switch (basis.generator()) {
      case UNIFORM24, UNIFORM8 ->
          new VectorUniform(basis, coefficients).combine(scale, factor, from, to);
      case RADEMACHER -> new VectorRademacher(basis, coefficients).combine(scale, factor, from, to);
      case SRHT -> new VectorHadamard(basis).combine(coefficients, scale, factor);
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int from, int to) {
    if (basis.generator() == Generator.SRHT) {
      new VectorHadamard(basis).project(gradient, products, from, to);
    } else {
      new VectorProjection(basis, to - from).project(gradient, products, from, to);
    }
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
    VectorMerge.delta(a, b, rank, cols, row, rows, from, count, delta);
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
    int e = 0;
    while (true) {
      e = VectorMerge.merge(dtype, weights, merged, first, e, count, multipliers, deltas, at);
      if (e == count) {
        return -1;
      }
      // The rest that fills no vector, or a strip with a weight that is not or does not stay
      // finite.
      int end = Math.min(count, e + VectorMerge.STRIP);
      int overflow = scalar.merge(dtype, weights, merged, first, e, end, multipliers, deltas, at);
      if (overflow >= 0) {
        return overflow;
      }
      e = end;
    }
  }
}
