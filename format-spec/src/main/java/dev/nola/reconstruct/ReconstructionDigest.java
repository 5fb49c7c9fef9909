package dev.nola.reconstruct;

import dev.nola.digest.Sha256;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The digest tree of a reconstruction (SPEC.md section 8).
 *
 * @param root the digest that the file carries
 * @param layers leaves of the layers, in file order
 * @param dense leaves of the dense tensors, in file order
 */
public record ReconstructionDigest(Sha256 root, List<Sha256> layers, List<Sha256> dense) {
  /** Copies the lists. */
  public ReconstructionDigest {
    layers = List.copyOf(layers);
    dense = List.copyOf(dense);
  }

  /**
   * Computes the root of a tree.
   *
   * @param layers leaves of the layers, in file order
   * @param dense leaves of the dense tensors, in file order
   * @return the tree
   */
  public static ReconstructionDigest of(List<Sha256> layers, List<Sha256> dense) {
    TreeHash root = new TreeHash("nola-adapter").u32(layers.size());
    layers.forEach(root::digest);
    root.u32(dense.size());
    dense.forEach(root::digest);
    return new ReconstructionDigest(root.finish(), layers, dense);
  }

  /**
   * Computes the leaf of a layer.
   *
   * @param factors the reconstructed layer
   * @return its leaf
   */
  public static Sha256 leaf(Factors factors) {
    TreeHash leaf = begin(factors.layer()).floats(factors.a(), factors.a().length);
    float[] b = factors.b();
    return (b == null ? leaf : leaf.floats(b, b.length)).finish();
  }

  /** Begins the leaf of a layer; its factors follow. */
  static TreeHash begin(Layer layer) {
    return new TreeHash(leafHead(layer));
  }

  /**
   * Returns what the leaf of a layer hashes before the factors' elements, for those that hash
   * elsewhere, such as on a GPU.
   *
   * @param layer the layer
   * @return the bytes; those of A as f32 follow, then, in the low-rank form, those of B
   */
  public static byte[] leafHead(Layer layer) {
    int rank =
        switch (layer.coefficients()) {
          case Direct _ -> 0;
          case LowRank lowRank -> lowRank.rank();
        };
    byte[] tag = "nola-layer".getBytes(StandardCharsets.US_ASCII);
    byte[] tensor = layer.tensor().getBytes(StandardCharsets.UTF_8);
    Slice slice = layer.slice();
    int numbers = Integer.BYTES + 1 + 3 * Long.BYTES + 1;
    int sliceBytes = slice == null ? 0 : Integer.BYTES + 2 * Long.BYTES;
    ByteBuffer head =
        ByteBuffer.allocate(tag.length + tensor.length + numbers + sliceBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(tag)
            .putInt(tensor.length)
            .put(tensor)
            .put((byte) (rank == 0 ? 1 : 0))
            .putLong(layer.rows())
            .putLong(layer.cols())
            .putLong(rank)
            .put((byte) (slice == null ? 0 : 1));
    if (slice != null) {
      head.putInt(slice.dim()).putLong(slice.start()).putLong(slice.length());
    }
    return head.array();
  }

  /**
   * Computes the leaf of a dense tensor.
   *
   * @param tensor the tensor
   * @return its leaf
   */
  public static Sha256 leaf(DenseTensor tensor) {
    return new TreeHash("nola-dense")
        .string(tensor.name())
        .u8(tensor.dtype().code())
        .dims(tensor.shape())
        .bytes(tensor.data())
        .finish();
  }
}
