package dev.nola.kernel;

/** The one place where a {@link Kernel} is chosen. */
public final class Kernels {
  /**
   * System property that chooses: {@code scalar}, or absent for the fastest that this JVM can run.
   */
  public static final String PROPERTY = "nola.kernel";

  private Kernels() {}

  /**
   * The kernel that {@value #PROPERTY} names, else the fastest one that this JVM can run.
   *
   * @throws IllegalArgumentException if the property names no kernel
   */
  public static Kernel chosen() {
    String wanted = System.getProperty(PROPERTY);
    if (wanted != null && !wanted.equals(ScalarKernel.NAME)) {
      throw new IllegalArgumentException(
          "system property %s=%s, must be %s or absent"
              .formatted(PROPERTY, wanted, ScalarKernel.NAME));
    }
    return scalar();
  }

  /** The reference: slow, and as close to SPEC.md as code can be. */
  public static Kernel scalar() {
    return new ScalarKernel();
  }
}
