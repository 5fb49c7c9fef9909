package dev.nola.format;

import java.util.Optional;

/** The element types that an adapter can adapt or carry; numbers as in SPEC.md section 4. */
public enum DType {
  /** IEEE 754 binary32. */
  F32(0, 4),
  /** IEEE 754 binary16. */
  F16(1, 2),
  /** The upper half of a binary32: 8 exponent and 7 fraction bits. */
  BF16(2, 2);

  private final int code;
  private final int bytes;

  DType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /**
   * Returns the number that files carry.
   *
   * @return 0 to 2
   */
  public int code() {
    return code;
  }

  /**
   * Returns the size of an element.
   *
   * @return its bytes, 2 or 4
   */
  public int bytes() {
    return bytes;
  }

  /**
   * Finds a type by its number.
   *
   * @param code the number in a file; any value
   * @return the type, or empty if no type has this number
   */
  public static Optional<DType> ofCode(int code) {
    return code >= 0 && code < values().length ? Optional.of(values()[code]) : Optional.empty();
  }
}
