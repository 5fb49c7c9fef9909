package dev.nola.format;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor stored whole: it replaces the base model's tensor of its name, or adds it (a classifier
 * head, norms).
 *
 * @param name the tensor's name
 * @param dtype the element type
 * @param shape the dimensions; none for a scalar
 * @param data the elements, row-major, little-endian, read-only
 */
public record DenseTensor(String name, DType dtype, List<Integer> shape, MemorySegment data) {
  /**
   * Checks name, shape and length.
   *
   * @throws IllegalArgumentException if the name or shape is illegal, or {@code data} is not
   *     exactly as long as the shape needs
   */
  public DenseTensor {
    Text.requireName("dense tensor name", name, 1);
    shape = List.copyOf(shape);
    long expected = byteSize(name, dtype, shape);
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "dense tensor %s has the wrong length: %d bytes; %s%s needs %d"
              .formatted(name, data.byteSize(), dtype, shape, expected));
    }
    data = data.asReadOnly();
  }

  static long byteSize(String name, DType dtype, List<Integer> shape) {
    Shapes.requireLegal(name, shape);
    Shapes.requireDenseWithin(name, shape);
    return Shapes.elements(shape) * dtype.bytes();
  }

  /** Returns the first offset in a file, from {@code offset} on, at which a tensor may start. */
  static long align(long offset) {
    return (offset + AdapterFile.DENSE_ALIGNMENT - 1)
        / AdapterFile.DENSE_ALIGNMENT
        * AdapterFile.DENSE_ALIGNMENT;
  }

  /** Compares name, type, shape and bytes. */
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
