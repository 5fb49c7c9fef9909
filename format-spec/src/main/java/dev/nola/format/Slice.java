package dev.nola.format;

/**
 * A proper part of a tensor: elements {@code start .. start + length − 1} along one dimension. A
 * slice is taken first and then flattened row-major as a dense tensor of its own.
 *
 * @param dim the dimension, from 0
 * @param start the first index along it
 * @param length number of indices along it, at least 1
 */
public record Slice(int dim, int start, int length) {
  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if a value is negative, the length zero or the end past 2³¹−1
   */
  public Slice {
    if (Rules.isBroken(
        Rule.SLICE,
        dim >= 0 && start >= 0 && length >= 1 && (long) start + length <= Integer.MAX_VALUE)) {
      throw new RuleViolation(
          Rule.SLICE,
          "invalid slice: dim=%d start=%d length=%d; dim and start must be at least 0, length at least 1, the end at most 2^31-1"
              .formatted(dim, start, length));
    }
  }

  /**
   * Returns the end of the slice.
   *
   * @return one past the last index along the dimension
   */
  public int end() {
    return start + length;
  }

  /** Returns whether two slices of one tensor have an element in common. */
  boolean overlaps(Slice other) {
    return dim != other.dim || start < other.end() && other.start < end();
  }
}
