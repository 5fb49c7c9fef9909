package dev.nola.generator;

import java.util.Optional;

/**
 * The ways to turn Philox output into the integers of a basis. An id is for ever: what a released
 * id generates never changes, and a better idea gets an id of its own (SPEC.md section 6).
 */
public enum Generator {
  /**
   * Odd integers in ±(2²⁴−1), one of a Philox word's upper 24 bits: uniform(−1,1) at the paper's
   * resolution.
   */
  UNIFORM24(1, "philox-uniform24", (1 << 24) - 1),
  /** Odd integers in ±255, one of a Philox byte. */
  UNIFORM8(2, "philox-uniform8", 255),
  /** ±1, one of a Philox bit. */
  RADEMACHER(3, "philox-rademacher", 1),
  /**
   * ±1: distinct columns of a Walsh–Hadamard matrix under random signs, summed by a fast transform.
   */
  SRHT(4, "philox-srht", 1);

  /** The largest magnitude of an exact sum: every integer up to it is an f64. */
  public static final long MAX_SUM = (1L << 53) - 1;

  /** The widest code of a coefficient, in bits. */
  public static final int MAX_BITS = 16;

  private final int id;
  private final String label;
  private final int maxMagnitude;

  Generator(int id, String label, int maxMagnitude) {
    this.id = id;
    this.label = label;
    this.maxMagnitude = maxMagnitude;
  }

  /** The number that files carry, 1..4. */
  public int id() {
    return id;
  }

  /** The name that people use, such as {@code philox-srht}. */
  public String label() {
    return label;
  }

  /** The largest |b| of a basis integer b. */
  public int maxMagnitude() {
    return maxMagnitude;
  }

  /**
   * Elements that one Philox block gives: 4 words, 16 bytes or 128 bits; of {@link #SRHT}, signs.
   */
  public int perBlock() {
    return switch (this) {
      case UNIFORM24 -> 4;
      case UNIFORM8 -> 16;
      case RADEMACHER, SRHT -> 128;
    };
  }

  /** The largest number of elements of a factor: 2³¹−1, and 2³⁰ for {@link #SRHT}. */
  public int maxLength() {
    return this == SRHT ? 1 << 30 : Integer.MAX_VALUE;
  }

  /**
   * The largest number of coefficients that a factor of {@code length} elements may combine at a
   * width of {@code bits}: as many as keep every sum exact, k·(2^bits−1)·max|b| ≤ 2⁵³−1, and for
   * {@link #SRHT} as many as the transform has columns.
   */
  public long maxCoefficients(int length, int bits) {
    long exact = MAX_SUM / ((1L << bits) - 1) / maxMagnitude;
    return this == SRHT ? Math.min(exact, Hadamard.columns(length)) : exact;
  }

  /** An upper bound of |Σ vᵢ·bᵢ[e]| over k coefficients of a width of {@code bits}. */
  public long sumBound(int k, int bits) {
    return k * ((1L << bits) - 1) * maxMagnitude;
  }

  /** The generator with this id, if there is one. */
  public static Optional<Generator> ofId(int id) {
    for (Generator generator : values()) {
      if (generator.id == id) {
        return Optional.of(generator);
      }
    }
    return Optional.empty();
  }

  /** The generator with this label, if there is one. */
  public static Optional<Generator> ofLabel(String label) {
    for (Generator generator : values()) {
      if (generator.label.equals(label)) {
        return Optional.of(generator);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return label;
  }
}
