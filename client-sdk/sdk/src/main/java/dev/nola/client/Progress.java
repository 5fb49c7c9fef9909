package dev.nola.client;

/** Is told how far a piece of work has come. Called from any thread, one call at a time. */
@FunctionalInterface
public interface Progress {
  /** Tells nobody. */
  Progress NONE = (done, total) -> {};

  /**
   * Receives the number of bytes done so far.
   *
   * @param done bytes so far
   * @param total bytes in all, or −1 while that is not known
   */
  void at(long done, long total);
}
