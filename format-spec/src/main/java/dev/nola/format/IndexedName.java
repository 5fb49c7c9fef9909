package dev.nola.format;

import java.util.Comparator;

/**
 * A tensor name and the position of its index component: the first of its dot-separated components
 * that is a decimal number of one to nine digits without leading zero (SPEC.md section 4.3). Holds
 * no copies of the parts: a file may have many names.
 *
 * @param name the whole name
 * @param start where the index starts; the end of the name without an index
 * @param end one past the index
 * @param index the number, or −1 without an index
 */
record IndexedName(String name, int start, int end, int index) {
  static final int MAX_INDEX = 999_999_999;
  private static final int MAX_DIGITS = 9;

  /** Compares the parts before the index, then the parts after it. */
  static final Comparator<IndexedName> BY_PATTERN =
      (one, other) -> {
        int prefix = CodePointOrder.compare(one.name, 0, one.start, other.name, 0, other.start);
        return prefix != 0
            ? prefix
            : CodePointOrder.compare(
                one.name, one.end, one.name.length(), other.name, other.end, other.name.length());
      };

  static IndexedName of(String name) {
    int start = 0;
    while (start <= name.length()) {
      int dot = name.indexOf('.', start);
      int end = dot < 0 ? name.length() : dot;
      int index = parse(name, start, end);
      if (index >= 0) {
        return new IndexedName(name, start, end, index);
      }
      start = end + 1;
    }
    return new IndexedName(name, name.length(), name.length(), -1);
  }

  /** Returns the part before the index; the whole name without an index. */
  String prefix() {
    return name.substring(0, start);
  }

  /** Returns the part after the index. */
  String suffix() {
    return name.substring(end);
  }

  /** Returns the same name with another index; only for names that have one. */
  String withIndex(long other) {
    return prefix() + other + suffix();
  }

  /** Returns whether {@code next} is the same name with the index one higher. */
  boolean isFollowedBy(IndexedName next) {
    return index >= 0 && next.index == index + 1 && BY_PATTERN.compare(this, next) == 0;
  }

  private static int parse(String name, int start, int end) {
    int digits = end - start;
    if (digits < 1 || digits > MAX_DIGITS || digits > 1 && name.charAt(start) == '0') {
      return -1;
    }
    int value = 0;
    for (int i = start; i < end; i++) {
      char c = name.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = 10 * value + (c - '0');
    }
    return value;
  }
}
