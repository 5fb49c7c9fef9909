package dev.nola.format;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor stored whole: it replaces the base model's tensor of its name, or adds it (a classifier
 * head, norms).
 *
 * @param name the tensor's name
 * @param dtype its element type
 * @param shape its dimensions, none for a scalar
 * @param data its elements row-major, little-endian, read-only
 */
public record DenseTensor(String name, DType dtype, List<Integer> shape, MemorySegment data) {
  /**
   * @throws IllegalArgumentException if the name or shape is illegal, or {@code data} is not
   *     exactly as long as the shape needs
   */
  public DenseTensor {
    Text.requireName("dense tensor name", name, 1);
    shape = List.copyOf(shape);
    long expected = byteSize(name, dtype, shape);
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "dense tensor %s %s%s needs %d bytes, not %d"
              .formatted(name, dtype, shape, expected, data.byteSize()));
    }
    data = data.asReadOnly();
  }

  static long byteSize(String name, DType dtype, List<Integer> shape) {
    Shapes.requireLegal(name, shape);
    long elements = Shapes.elements(name, shape);
    if (elements > Long.MAX_VALUE / 4) {
      throw new LimitExcess(
          "dense tensor %s has %d elements, limit is 2^61-1".formatted(name, elements));
    }
    return elements * dtype.bytes();
  }

  /** Equal name, type, shape and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof DenseTensor(String n, DType t, List<Integer> s, MemorySegment d)
        && name.equals(n)
        && dtype == t
        && shape.equals(s)
        && data.mismatch(d) == -1;
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + shape.hashCode();
  }

  @Override
  public String toString() {
    return name + " " + dtype + shape;
  }
}
