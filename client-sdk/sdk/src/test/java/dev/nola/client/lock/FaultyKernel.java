package dev.nola.client.lock;

import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.kernel.ForwardingKernel;
import dev.nola.kernel.Kernels;

/** A backend with one wrong bit: the lowest of element 3 of every factor B in one stream. */
final class FaultyKernel extends ForwardingKernel {
  static final int ELEMENT = 3;

  private final int stream;

  FaultyKernel(int stream) {
    super(Kernels.scalar());
    this.stream = stream;
  }

  @Override
  public String name() {
    return "faulty";
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    kernel.combine(basis, coefficients, scale, target, start, end);
    if (basis.side() == Side.B && basis.stream() == stream && start <= ELEMENT && ELEMENT < end) {
      float[] factor = target.array();
      int index = ELEMENT - target.first();
      factor[index] = Float.intBitsToFloat(Float.floatToRawIntBits(factor[index]) ^ 1);
    }
  }
}
