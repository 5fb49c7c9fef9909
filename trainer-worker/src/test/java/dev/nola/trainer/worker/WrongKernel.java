package dev.nola.trainer.worker;

import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.kernel.ForwardingKernel;
import dev.nola.kernel.Kernels;

/** A kernel that computes one bit of one element wrong. */
final class WrongKernel extends ForwardingKernel {
  private final int stream;
  private final Side side;
  private final int element;

  WrongKernel(int stream, Side side, int element) {
    super(Kernels.scalar());
    this.stream = stream;
    this.side = side;
    this.element = element;
  }

  @Override
  public String name() {
    return "wrong";
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    kernel.combine(basis, coefficients, scale, target, start, end);
    if (basis.stream() == stream && basis.side() == side) {
      float[] factor = target.array();
      int index = element - target.first();
      factor[index] = Float.intBitsToFloat(Float.floatToRawIntBits(factor[index]) ^ 1);
    }
  }
}
