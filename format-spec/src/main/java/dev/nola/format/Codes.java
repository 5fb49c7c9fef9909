package dev.nola.format;

import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.Arrays;

/**
 * A vector of quantized coefficients. Code u of width b means the odd integer {@code v = 2u − (2^b
 * − 1)}: symmetric around zero with no level wasted. Code j is bits j·b … j·b+b−1 of the packed
 * bytes, bit n being bit n mod 8 of byte n div 8; unused bits of the last byte are zero.
 */
public final class Codes {
  private final int bits;
  private final int count;
  private final byte[] packed;

  private Codes(int bits, int count, byte[] packed) {
    this.bits = bits;
    this.count = count;
    this.packed = packed;
  }

  /**
   * Packs unsigned codes.
   *
   * @param bits width of a code, 1 to 16
   * @param codes one code a coefficient, 0 to 2^bits−1
   * @return the packed codes
   * @throws IllegalArgumentException if the width or a code is out of range, or there is no code
   */
  public static Codes of(int bits, int... codes) {
    requireLegal("codes", bits, codes.length);
    byte[] packed = new byte[packedBytes(bits, codes.length)];
    int window = 0; // bits that do not fill a byte yet
    int held = 0;
    int next = 0;
    for (int j = 0; j < codes.length; j++) {
      if (codes[j] < 0 || codes[j] >>> bits != 0) {
        throw new IllegalArgumentException(
            "invalid code %d: %d; must be 0 to %d at %d bits"
                .formatted(j, codes[j], (1 << bits) - 1, bits));
      }
      window |= codes[j] << held;
      for (held += bits; held >= Byte.SIZE; held -= Byte.SIZE) {
        packed[next++] = (byte) window;
        window >>>= Byte.SIZE;
      }
    }
    if (held > 0) {
      packed[next] = (byte) window;
    }
    return new Codes(bits, codes.length, packed);
  }

  /**
   * Returns codes that are packed already.
   *
   * @param bits width of a code, 1 to 16
   * @param count number of codes, at least 1
   * @param packed ⌈count·bits/8⌉ bytes; copied
   * @return the codes
   * @throws IllegalArgumentException if the width is out of range, there is no code, {@code packed}
   *     is not exactly as long as {@code count} codes need, or an unused bit is set
   */
  public static Codes ofPacked(int bits, int count, byte[] packed) {
    return adopting("codes", bits, count, packed.clone());
  }

  /**
   * Does the same without a copy.
   *
   * @param what names the codes in messages
   * @param packed must not be changed afterwards
   */
  static Codes adopting(String what, int bits, int count, byte[] packed) {
    requireLegal(what, bits, count);
    if (packed.length != packedBytes(bits, count)) {
      throw new IllegalArgumentException(
          "wrong length of packed codes: %d bytes; %d codes of %d bits need %d"
              .formatted(packed.length, count, bits, packedBytes(bits, count)));
    }
    int used = (int) ((long) count * bits & 7);
    if (Rules.isBroken(
        Rule.UNUSED_BITS, what, used == 0 || (packed[packed.length - 1] & 0xFF) >>> used == 0)) {
      throw new RuleViolation(
          Rule.UNUSED_BITS,
          "unused bits set in the last byte of %s: 0x%02x; %d codes of %d bits use only the lowest %d"
              .formatted(what, packed[packed.length - 1], count, bits, used));
    }
    return new Codes(bits, count, packed);
  }

  /** Returns the name of a side's codes in messages and rules. */
  static String part(Side side) {
    return switch (side) {
      case A -> "side A";
      case B -> "side B";
    };
  }

  /** Returns the bytes that {@code count} codes of {@code bits} need; at most 2³², so a long. */
  static long packedLength(int bits, long count) {
    return (count * bits + 7) >>> 3;
  }

  private static int packedBytes(int bits, int count) {
    return Math.toIntExact(packedLength(bits, count));
  }

  private static void requireLegal(String what, int bits, int count) {
    if (Rules.isBroken(Rule.CODE_WIDTH, what, bits >= 1 && bits <= Generator.MAX_BITS)) {
      throw new RuleViolation(
          Rule.CODE_WIDTH,
          "invalid code width: %d bits; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
    }
    if (Rules.isBroken(Rule.COEFFICIENTS_PRESENT, what, count >= 1)) {
      throw new RuleViolation(
          Rule.COEFFICIENTS_PRESENT,
          "invalid coefficient count of %s: %d; must be at least 1".formatted(what, count));
    }
  }

  /**
   * Returns the width of a code.
   *
   * @return 1 to 16 bits
   */
  public int bits() {
    return bits;
  }

  /**
   * Returns the number of coefficients.
   *
   * @return k for side A, l for side B
   */
  public int count() {
    return count;
  }

  /**
   * Returns one code.
   *
   * @param j its index, from 0
   * @return 0 to 2^bits−1
   * @throws IndexOutOfBoundsException if {@code j} is out of range
   */
  public int code(int j) {
    if (j < 0 || j >= count) {
      throw new IndexOutOfBoundsException("no code " + j + "; there are " + count);
    }
    long bit = (long) j * bits;
    int offset = (int) (bit >>> 3);
    int window = packed[offset] & 0xFF;
    if (offset + 1 < packed.length) {
      window |= (packed[offset + 1] & 0xFF) << 8;
    }
    if (offset + 2 < packed.length) {
      window |= (packed[offset + 2] & 0xFF) << 16;
    }
    return window >>> (bit & 7) & (1 << bits) - 1;
  }

  /**
   * Unpacks all codes.
   *
   * @return {@link #count()} codes, 0 to 2^bits−1
   */
  public int[] codes() {
    int[] codes = new int[count];
    int mask = (1 << bits) - 1;
    int window = 0; // bits that were read and belong to later codes
    int held = 0;
    int next = 0;
    for (int j = 0; j < count; j++) {
      for (; held < bits; held += Byte.SIZE) {
        window |= (packed[next++] & 0xFF) << held;
      }
      codes[j] = window & mask;
      window >>>= bits;
      held -= bits;
    }
    return codes;
  }

  /**
   * Unpacks all coefficients (SPEC.md section 5.1).
   *
   * @return {@link #count()} odd integers v = 2u − (2^bits − 1)
   */
  public int[] values() {
    int[] values = codes();
    int largest = (1 << bits) - 1;
    for (int j = 0; j < count; j++) {
      values[j] = 2 * values[j] - largest;
    }
    return values;
  }

  /**
   * Copies the packed bytes.
   *
   * @return ⌈count·bits/8⌉ bytes
   */
  public byte[] toPacked() {
    return packed.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Codes that
        && bits == that.bits
        && count == that.count
        && Arrays.equals(packed, that.packed);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * bits + count) + Arrays.hashCode(packed);
  }

  @Override
  public String toString() {
    return count + " codes of " + bits + " bits";
  }
}
