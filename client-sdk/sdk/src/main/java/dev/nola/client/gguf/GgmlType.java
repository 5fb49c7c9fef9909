package dev.nola.client.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The element types of GGUF that can be read as values; numbers and sizes as in ggml. */
public enum GgmlType {
  /** IEEE 754 binary32. */
  F32(0, 1, 4),
  /** IEEE 754 binary16. */
  F16(1, 1, 2),
  /** 4 bits, a scale for 32 elements. */
  Q4_0(2, 32, 18),
  /** 4 bits, a scale and a minimum for 32 elements. */
  Q4_1(3, 32, 20),
  /** 5 bits, a scale for 32 elements. */
  Q5_0(6, 32, 22),
  /** 5 bits, a scale and a minimum for 32 elements. */
  Q5_1(7, 32, 24),
  /** 8 bits, a scale for 32 elements. */
  Q8_0(8, 32, 34),
  /** 4 bits, 6-bit scales and minima for 32 of 256 elements. */
  Q4_K(12, 256, 144),
  /** 5 bits, 6-bit scales and minima for 32 of 256 elements. */
  Q5_K(13, 256, 176),
  /** 6 bits, 8-bit scales for 16 of 256 elements. */
  Q6_K(14, 256, 210),
  /** The upper half of a binary32. */
  BF16(30, 1, 2);

  /** Names by number, also of types that cannot be read. */
  private static final List<String> NAMES =
      List.of(
          """
          F32 F16 Q4_0 Q4_1 Q4_2 Q4_3 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K \
          IQ2_XXS IQ2_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ2_S IQ4_XS I8 I16 I32 I64 F64 IQ1_M BF16 \
          Q4_0_4_4 Q4_0_4_8 Q4_0_8_8 TQ1_0 TQ2_0 IQ4_NL_4_4 IQ4_NL_4_8 IQ4_NL_8_8 MXFP4 NVFP4 Q1_0\
          """
              .split(" "));

  private final int number;
  private final int elements;
  private final int bytes;

  GgmlType(int number, int elements, int bytes) {
    this.number = number;
    this.elements = elements;
    this.bytes = bytes;
  }

  /**
   * Returns the number of elements of a block.
   *
   * @return 1, 32 or 256
   */
  public int blockElements() {
    return elements;
  }

  /**
   * Returns the size of a block.
   *
   * @return its bytes
   */
  public int blockBytes() {
    return bytes;
  }

  /** Returns the number that files have for it. */
  int number() {
    return number;
  }

  static Optional<GgmlType> ofNumber(long number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /** Names a type of any number. */
  static String name(long number) {
    return number >= 0 && number < NAMES.size() ? NAMES.get((int) number) : "number " + number;
  }
}
