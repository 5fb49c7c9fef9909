package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;

/**
 * The kernel on the Vector API, at the machine's vector width. Lanes are blocks of Philox: each
 * step computes one block of as many counters as an int vector has lanes and uses it at once, so
 * that no basis is ever stored.
 */
final class VectorKernel implements Kernel {
  static final String NAME = "vector";

  /** How much faster a vector computes an element than scalar code, at most (BENCHMARKS.md). */
  private static final int TINY = 64;

  private final ScalarKernel scalar = new ScalarKernel();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    if (isTiny(basis.generator(), end - start)) {
      scalar.combine(basis, coefficients, scale, target, start, end);
      return;
    }
    switch (basis.generator()) {
      case UNIFORM24, UNIFORM8 ->
          new VectorUniform(basis, coefficients).combine(scale, target, start, end);
      case RADEMACHER ->
          new VectorRademacher(basis, coefficients).combine(scale, target, start, end);
      case SRHT -> new VectorHadamard(basis).combine(coefficients, scale, target.array());
      case IDENTITY -> scalar.combine(basis, coefficients, scale, target, start, end);
    }
  }

  /**
   * Returns whether so few elements are wanted that scalar code is faster: a vector computes a
   * whole block in each lane, and a factor of one element would use the least part of them.
   */
  private static boolean isTiny(Generator generator, int elements) {
    return generator != Generator.SRHT
        && elements <= Math.max(1, VectorPhilox.LANES * generator.perBlock() / TINY);
  }

  @Override
  public void stream(Basis basis, int[] coefficients, float scale, Sink sink) {
    if (basis.generator() == Generator.SRHT) {
      new VectorHadamard(basis).stream(coefficients, scale, sink);
    } else {
      Kernel.super.stream(basis, coefficients, scale, sink);
    }
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int start, int end) {
    switch (basis.generator()) {
      case SRHT -> new VectorHadamard(basis).project(gradient, products, start, end);
      case IDENTITY -> scalar.project(basis, gradient, products, start, end);
      case UNIFORM24, UNIFORM8, RADEMACHER ->
          new VectorProjection(basis, end - start).project(gradient, products, start, end);
    }
  }

  @Override
  public void delta(float[] a, float[] b, int rank, int cols, Block block, double[] delta) {
    VectorDelta.compute(a, b, rank, cols, block, delta);
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      Summands summands) {
    int done = 0;
    while (true) {
      done +=
          VectorMerge.merge(
              dtype, weights, merged, first + done, count - done, summands.skip(done));
      if (done == count) {
        return -1;
      }
      // What follows fills no vector, or is a strip with a weight that is not or does not stay
      // finite.
      int rest = Math.min(count - done, VectorMerge.STRIP);
      int overflow = scalar.merge(dtype, weights, merged, first + done, rest, summands.skip(done));
      if (overflow >= 0) {
        return done + overflow;
      }
      done += rest;
    }
  }
}
