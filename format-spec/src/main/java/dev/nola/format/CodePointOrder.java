package dev.nola.format;

/**
 * The order of Unicode code points, which is also the order of UTF-8 bytes; {@link
 * String#compareTo} has another one.
 */
final class CodePointOrder {
  private CodePointOrder() {}

  static int compare(String a, String b) {
    return compare(a, 0, a.length(), b, 0, b.length());
  }

  /** Compares {@code a[aStart, aEnd)} with {@code b[bStart, bEnd)}. */
  static int compare(String a, int aStart, int aEnd, String b, int bStart, int bEnd) {
    int common = Math.min(aEnd - aStart, bEnd - bStart);
    if (a.regionMatches(aStart, b, bStart, common)) { // many names differ in an index only
      return (aEnd - aStart) - (bEnd - bStart);
    }
    for (int i = 0; i < common; i++) {
      char x = a.charAt(aStart + i);
      char y = b.charAt(bStart + i);
      if (x != y) {
        return rank(x) - rank(y);
      }
    }
    throw new AssertionError("regions that do not match have a character that differs");
  }

  // UTF-16 puts surrogates, which stand for the highest code points, below U+E000..U+FFFF.
  private static int rank(char c) {
    return c >= 0xE000 ? c - 0x800 : c >= 0xD800 ? c + 0x2000 : c;
  }
}
