package dev.nola.format;

import dev.nola.digest.Sha256;

/** Thrown if a reconstruction differs from the author's. */
public final class DigestMismatchException extends AdapterException {
  private final Sha256 expected;
  private final Sha256 actual;

  /**
   * Creates the exception.
   *
   * @param expected the reconstruction digest that the file carries
   * @param actual the digest of what was reconstructed
   */
  public DigestMismatchException(Sha256 expected, Sha256 actual) {
    super("reconstruction digest failed: expected=" + expected + " actual=" + actual);
    this.expected = expected;
    this.actual = actual;
  }

  /**
   * Returns the file's digest.
   *
   * @return the reconstruction digest that the file carries
   */
  public Sha256 expected() {
    return expected;
  }

  /**
   * Returns the computed digest.
   *
   * @return the digest of what was reconstructed
   */
  public Sha256 actual() {
    return actual;
  }
}
