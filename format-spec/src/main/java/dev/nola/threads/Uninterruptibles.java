package dev.nola.threads;

/**
 * Waits for what must have ended before a method returns, such as a thread that writes to memory
 * that its caller frees.
 */
public final class Uninterruptibles {
  private Uninterruptibles() {}

  /** A wait that can be interrupted, such as {@code thread::join} or {@code process::waitFor}. */
  @FunctionalInterface
  public interface Wait {
    /**
     * Waits.
     *
     * @throws InterruptedException if the thread is interrupted before the wait is over
     */
    void await() throws InterruptedException;
  }

  /**
   * Waits in any case. If the thread is interrupted meanwhile, the wait begins again, and the
   * thread is interrupted once the wait is over.
   *
   * @param wait begins again after each interruption
   */
  public static void await(Wait wait) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          wait.await();
          return;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
