package dev.nola.client.safetensors;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A tensor with its bytes, as stored.
 *
 * @param name its name, unique in a model
 * @param type its type as safetensors writes it, such as {@code BF16}
 * @param shape its dimensions; none for a scalar
 * @param data its elements, row-major and little-endian; valid while the file it comes from is open
 */
public record Tensor(String name, String type, List<Long> shape, MemorySegment data) {
  /** Copies the shape. */
  public Tensor {
    shape = List.copyOf(shape);
  }

  /**
   * Returns the number of elements; a scalar has one.
   *
   * @return the number of elements
   */
  public long elements() {
    return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
  }

  /**
   * Returns the type, if adapters can adapt it.
   *
   * @return the type, or empty
   */
  public Optional<DType> adaptableType() {
    return switch (type) {
      case "F32" -> Optional.of(DType.F32);
      case "F16" -> Optional.of(DType.F16);
      case "BF16" -> Optional.of(DType.BF16);
      default -> Optional.empty();
    };
  }

  @Override
  public String toString() {
    return name + " " + type + shape;
  }
}
