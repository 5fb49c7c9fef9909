package dev.nola.kernel;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;

/** Leaves the factors of {@link Generator#SRHT} to scalar code, and the rest to another kernel. */
final class ShortRunKernel extends ForwardingKernel {
  private final ScalarKernel scalar = new ScalarKernel();

  ShortRunKernel(Kernel kernel) {
    super(kernel);
  }

  @Override
  public void combine(
      Basis basis, int[] coefficients, float scale, Target target, int start, int end) {
    (basis.generator() == Generator.SRHT ? scalar : kernel)
        .combine(basis, coefficients, scale, target, start, end);
  }

  @Override
  public void stream(Basis basis, int[] coefficients, float scale, Sink sink) {
    if (basis.generator() == Generator.SRHT) {
      scalar.stream(basis, coefficients, scale, sink);
    } else {
      super.stream(basis, coefficients, scale, sink);
    }
  }
}
