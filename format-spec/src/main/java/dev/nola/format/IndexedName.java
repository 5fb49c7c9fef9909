package dev.nola.format;

/**
 * A tensor name split at its index component: the first of its dot-separated components that is a
 * decimal number of one to nine digits without leading zero.
 *
 * @param prefix everything before the index; the whole name when there is none
 * @param index the number, or −1 when there is none
 * @param suffix everything behind the index
 */
record IndexedName(String prefix, int index, String suffix) {
  static final int MAX_INDEX = 999_999_999;
  private static final int MAX_DIGITS = 9;

  static IndexedName of(String name) {
    int start = 0;
    while (start <= name.length()) {
      int dot = name.indexOf('.', start);
      int end = dot < 0 ? name.length() : dot;
      int index = parse(name, start, end);
      if (index >= 0) {
        return new IndexedName(name.substring(0, start), index, name.substring(end));
      }
      start = end + 1;
    }
    return new IndexedName(name, -1, "");
  }

  /** The name of the same tensor {@code steps} layers on. */
  String plus(int steps) {
    return prefix + (index + steps) + suffix;
  }

  /** Whether {@code next} is the same name with the index one higher. */
  boolean isFollowedBy(IndexedName next) {
    return index >= 0
        && next.index == index + 1
        && prefix.equals(next.prefix)
        && suffix.equals(next.suffix);
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
