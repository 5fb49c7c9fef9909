package dev.nola.generator;

import java.util.List;
import java.util.Optional;

/**
 * The ways to make the integers of a basis: four from Philox output, one without drawing anything.
 * The integers of a released id never change; a new generator gets a new id (SPEC.md section 6).
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
  SRHT(4, "philox-srht", 1),
  /**
   * The unit vectors, bᵢ[e] = 1 if e = i, else 0: coefficients are the factor's elements
   * themselves, so that a trained LoRA is stored as it is, quantized.
   */
  IDENTITY(5, "identity", 1);

  /** The generators that draw bases from a seed, as NOLA and PRANC need them. */
  public static final List<Generator> PSEUDORANDOM = List.of(UNIFORM24, UNIFORM8, RADEMACHER, SRHT);

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

  /**
   * Returns the number that files carry.
   *
   * @return 1 to 5
   */
  public int id() {
    return id;
  }

  /**
   * Returns the name for people.
   *
   * @return such as {@code philox-srht}
   */
  public String label() {
    return label;
  }

  /**
   * Returns the largest magnitude of a basis integer.
   *
   * @return max |b|
   */
  public int maxMagnitude() {
    return maxMagnitude;
  }

  /**
   * Returns the number of elements that one Philox block generates.
   *
   * @return 4 for words, 16 for bytes, 128 for bits; {@link #SRHT} uses the bits as signs, and
   *     {@link #IDENTITY} none, whose elements are divided like bits
   */
  public int perBlock() {
    return switch (this) {
      case UNIFORM24 -> 4;
      case UNIFORM8 -> 16;
      case RADEMACHER, SRHT, IDENTITY -> 128;
    };
  }

  /**
   * Returns the largest number of elements of a factor.
   *
   * @return 2³¹−1, and 2³⁰ for {@link #SRHT}
   */
  public int maxLength() {
    return this == SRHT ? 1 << 30 : Integer.MAX_VALUE;
  }

  /**
   * Returns the largest number of coefficients of a factor: as many as keep every sum exact,
   * k·(2^bits−1)·max|b| ≤ 2⁵³−1, for {@link #SRHT} at most one a column of the transform, and for
   * {@link #IDENTITY} exactly one an element.
   *
   * @param length elements of the factor
   * @param bits width of a code
   * @return the largest k
   */
  public long maxCoefficients(int length, int bits) {
    return switch (this) {
      case SRHT -> Math.min(maxExactCoefficients(bits), Hadamard.columns(length));
      case IDENTITY -> length;
      case UNIFORM24, UNIFORM8, RADEMACHER -> maxExactCoefficients(bits);
    };
  }

  /**
   * Returns the largest number of coefficients that keeps every sum exact, whatever the length of
   * the factor.
   *
   * @param bits width of a code
   * @return the largest k; for {@link #IDENTITY}, whose sums have one term each, the largest long
   */
  public long maxExactCoefficients(int bits) {
    return this == IDENTITY ? Long.MAX_VALUE : MAX_SUM / ((1L << bits) - 1) / maxMagnitude;
  }

  /**
   * Returns the number of basis integers that a factor's sums use, which is the work of computing
   * it without a fast transform.
   *
   * @param length elements of the factor
   * @param k number of coefficients
   * @return k·length; for {@link #IDENTITY}, whose sums have one term each, length
   */
  public long basisElements(int length, int k) {
    return this == IDENTITY ? length : (long) length * k;
  }

  /**
   * Returns an upper bound of |Σ vᵢ·bᵢ[e]|.
   *
   * @param k number of coefficients
   * @param bits width of a code
   * @return k·(2^bits−1)·max|b|; for {@link #IDENTITY}, whose sums have one term each, 2^bits−1
   */
  public long sumBound(int k, int bits) {
    long terms = this == IDENTITY ? 1 : k;
    return terms * ((1L << bits) - 1) * maxMagnitude;
  }

  /**
   * Finds a generator by its id.
   *
   * @param id the number in a file; any value
   * @return the generator, or empty if none has this id
   */
  public static Optional<Generator> ofId(int id) {
    for (Generator generator : values()) {
      if (generator.id == id) {
        return Optional.of(generator);
      }
    }
    return Optional.empty();
  }

  /**
   * Finds a generator by its name for people.
   *
   * @param label such as {@code philox-srht}
   * @return the generator, or empty if none has this label
   */
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
