package dev.nola.kernel;

import dev.nola.format.DType;
import dev.nola.generator.Basis;
import java.lang.foreign.MemorySegment;

/** Forwards every call to another kernel; subclasses override some. */
public abstract class ForwardingKernel implements Kernel {
  /** The kernel that calls are forwarded to. */
  protected final Kernel kernel;

  /**
   * Creates a kernel that forwards every call.
   *
   * @param kernel receives the calls
   */
  protected ForwardingKernel(Kernel kernel) {
    this.kernel = kernel;
  }

  @Override
  public String name() {
    return kernel.name();
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    kernel.combine(basis, coefficients, scale, target, start, end);
  }

  @Override
  public void project(Basis basis, float[] gradient, double[] products, int start, int end) {
    kernel.project(basis, gradient, products, start, end);
  }

  @Override
  public void delta(float[] a, float[] b, int rank, int cols, Block block, double[] delta) {
    kernel.delta(a, b, rank, cols, block, delta);
  }

  @Override
  public int merge(
      DType dtype,
      MemorySegment weights,
      MemorySegment merged,
      long first,
      int count,
      Summands summands) {
    return kernel.merge(dtype, weights, merged, first, count, summands);
  }
}
