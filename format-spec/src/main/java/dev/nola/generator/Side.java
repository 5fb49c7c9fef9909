package dev.nola.generator;

/** The two factors of ΔW = A·B. */
public enum Side {
  /** The left factor, R×r; the only one of the direct form. */
  A,
  /** The right factor, r×C. */
  B
}
