package dev.nola.format;

import dev.nola.digest.Sha256;

/** Reconstruction gave other bits than the ones the adapter's author had. */
public final class DigestMismatchException extends AdapterException {
  private final Sha256 expected;
  private final Sha256 actual;

  /**
   * @param expected the reconstruction digest that the file carries
   * @param actual the digest of what was reconstructed
   */
  public DigestMismatchException(Sha256 expected, Sha256 actual) {
    super("reconstruction digest failed: expected=" + expected + " actual=" + actual);
    this.expected = expected;
    this.actual = actual;
  }

  /** The reconstruction digest that the file carries. */
  public Sha256 expected() {
    return expected;
  }

  /** The digest of what was reconstructed. */
  public Sha256 actual() {
    return actual;
  }
}
