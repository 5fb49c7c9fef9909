package dev.nola.kernel;

import java.util.concurrent.ForkJoinPool;

/** Creates and chooses kernels. */
public final class Kernels {
  /**
   * The system property that chooses the kernel: {@code scalar} or {@code vector}; by default, the
   * fastest that this JVM can run.
   */
  public static final String PROPERTY = "nola.kernel";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private Kernels() {}

  /**
   * Returns the kernel that {@value #PROPERTY} names. By default, this is the vector kernel if the
   * JVM was started with {@code --add-modules jdk.incubator.vector}, and otherwise the scalar one.
   *
   * @return the kernel
   * @throws IllegalArgumentException if the property has another value, or names a kernel that this
   *     JVM cannot run
   */
  public static Kernel chosen() {
    String wanted = System.getProperty(PROPERTY);
    if (wanted == null) {
      return canVectorize() ? vector() : scalar();
    }
    return switch (wanted) {
      case ScalarKernel.NAME -> scalar();
      case VectorKernel.NAME -> vector();
      default ->
          throw new IllegalArgumentException(
              "invalid system property %s: %s; must be scalar, vector or absent"
                  .formatted(PROPERTY, wanted));
    };
  }

  /**
   * Returns the reference kernel, which follows SPEC.md closely and is slow.
   *
   * @return the kernel
   */
  public static Kernel scalar() {
    return new ScalarKernel();
  }

  /**
   * Returns whether this JVM can run the vector kernel.
   *
   * @return true if it was started with {@code --add-modules jdk.incubator.vector}
   */
  public static boolean canVectorize() {
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
  }

  /**
   * Returns the kernel on the Vector API.
   *
   * @return the kernel
   * @throws IllegalArgumentException if this JVM was started without the module that it needs
   */
  public static Kernel vector() {
    if (!canVectorize()) {
      throw new IllegalArgumentException(
          "vector kernel not available; start the JVM with --add-modules " + VECTOR_MODULE);
    }
    return new VectorKernel();
  }

  /**
   * Returns a kernel that divides its work among the threads of a pool, whichever thread calls it,
   * and returns the same bits.
   *
   * @param kernel does the arithmetic
   * @param pool its threads; the caller closes it
   * @return the kernel
   */
  public static Kernel parallel(Kernel kernel, ForkJoinPool pool) {
    return new ParallelKernel(kernel, pool);
  }

  /**
   * Returns a kernel for processes that reconstruct one or two adapters and end, with the same
   * bits. The transforms of srht are so short that they end before the vector code is compiled;
   * until then scalar code is faster. Long-running processes do not need it.
   *
   * @param kernel does everything else
   * @return the kernel
   */
  public static Kernel forShortRuns(Kernel kernel) {
    return new ShortRunKernel(kernel);
  }
}
