package dev.nola.kernel;

import java.util.concurrent.ForkJoinPool;

/** The one place where a {@link Kernel} is chosen. */
public final class Kernels {
  /**
   * System property that chooses: {@code scalar}, {@code vector}, or absent for the fastest that
   * this JVM can run.
   */
  public static final String PROPERTY = "nola.kernel";

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private Kernels() {}

  /**
   * The kernel that {@value #PROPERTY} names, else the fastest one that this JVM can run: the
   * vector kernel where the JVM was started with {@code --add-modules jdk.incubator.vector}, else
   * the scalar one.
   *
   * @throws IllegalArgumentException if the property names no kernel, or one that this JVM cannot
   *     run
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
              "system property %s=%s, must be scalar, vector or absent"
                  .formatted(PROPERTY, wanted));
    };
  }

  /** The reference: slow, and as close to SPEC.md as code can be. */
  public static Kernel scalar() {
    return new ScalarKernel();
  }

  /** Whether this JVM can run the vector kernel. */
  public static boolean canVectorize() {
    return ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
  }

  /**
   * The kernel on the Vector API.
   *
   * @throws IllegalArgumentException if this JVM was started without the module that it needs
   */
  public static Kernel vector() {
    if (!canVectorize()) {
      throw new IllegalArgumentException(
          "the vector kernel needs a JVM started with --add-modules " + VECTOR_MODULE);
    }
    return new VectorKernel();
  }

  /**
   * A kernel that divides its work among the threads of a pool, whichever thread calls it, and
   * gives the same bits.
   *
   * @param kernel does the arithmetic
   * @param pool its threads; the caller closes it
   */
  public static Kernel parallel(Kernel kernel, ForkJoinPool pool) {
    return new ParallelKernel(kernel, pool);
  }

  /**
   * A kernel for a process that reconstructs an adapter or two and ends, with the same bits. The
   * transforms of srht are so little work that the vector kernel is still being compiled when they
   * are done, and slow until then; scalar code is not. A process that stays has no use for it.
   *
   * @param kernel does everything else
   */
  public static Kernel forShortRuns(Kernel kernel) {
    return new ShortRunKernel(kernel);
  }
}
