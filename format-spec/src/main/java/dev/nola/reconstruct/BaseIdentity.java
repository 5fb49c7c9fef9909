package dev.nola.reconstruct;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/**
 * Computes the identity of a base model for an adapter: a digest over the adapted tensors, however
 * they are spread over files (SPEC.md section 9).
 */
public final class BaseIdentity {
  private BaseIdentity() {}

  /**
   * One adapted tensor of the base model.
   *
   * @param name the tensor's name
   * @param dtype the element type
   * @param shape the stored shape
   * @param content SHA-256 of the stored bytes, row-major and little-endian
   */
  public record Tensor(String name, DType dtype, List<Integer> shape, Sha256 content) {
    /** Copies the shape. */
    public Tensor {
      shape = List.copyOf(shape);
    }

    /**
     * Hashes a tensor.
     *
     * @param name the tensor's name
     * @param dtype the element type
     * @param shape the stored shape
     * @param bytes the elements, row-major and little-endian
     * @return the tensor with the digest of its bytes
     */
    public static Tensor of(String name, DType dtype, List<Integer> shape, MemorySegment bytes) {
      return new Tensor(name, dtype, shape, new TreeHash("").bytes(bytes).finish());
    }
  }

  /**
   * Returns the names of the tensors that are part of an adapter's base identity.
   *
   * @param adapter the adapter
   * @return the tensors that its layers adapt, in file order
   */
  public static SequencedSet<String> tensorNames(Adapter adapter) {
    SequencedSet<String> names = new LinkedHashSet<>();
    adapter.layers().stream().map(Layer::tensor).forEach(names::add);
    return names;
  }

  /**
   * Computes the identity of a base model.
   *
   * @param tensors the adapted tensors, in any order
   * @return the identity
   * @throws IllegalArgumentException if two tensors have the same name
   */
  public static Sha256 of(Collection<Tensor> tensors) {
    List<Tensor> sorted =
        tensors.stream()
            .sorted(Comparator.comparing(tensor -> utf8(tensor.name()), Arrays::compareUnsigned))
            .toList();
    TreeHash root = new TreeHash("nola-base").u32(sorted.size());
    String previous = null;
    for (Tensor tensor : sorted) {
      if (tensor.name().equals(previous)) {
        throw new IllegalArgumentException(
            "duplicate tensor: " + previous + "; each name may occur once");
      }
      previous = tensor.name();
      root.digest(
          new TreeHash("nola-tensor")
              .string(tensor.name())
              .u8(tensor.dtype().code())
              .dims(tensor.shape())
              .digest(tensor.content())
              .finish());
    }
    return root.finish();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
