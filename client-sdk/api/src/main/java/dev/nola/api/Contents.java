package dev.nola.api;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * The contents of an adapter file, without its codes. It has eight components because JSON has them
 * side by side.
 *
 * @param format version of the format
 * @param generator label of the generator, such as {@code philox-srht}
 * @param seed {@code 0x} and 16 hex digits
 * @param reconstructionDigest digest of the factors it reconstructs to (SPEC.md section 8)
 * @param base the base model
 * @param layers the adapted layers, in file order
 * @param dense tensors stored in full, in file order
 * @param metadata text and numbers for people
 */
public record Contents(
    String format,
    String generator,
    String seed,
    Sha256 reconstructionDigest,
    Base base,
    List<LayerEntry> layers,
    List<DenseEntry> dense,
    About metadata) {
  /**
   * The base model.
   *
   * @param name name of the model
   * @param revision revision of the model, possibly empty
   * @param identity digest of the adapted tensors, or null
   */
  public record Base(String name, String revision, @Nullable Sha256 identity) {}

  /**
   * A layer. It has eleven components because JSON has them side by side.
   *
   * @param tensor name of the adapted tensor
   * @param shape dimensions of that tensor
   * @param slice adapted part of the tensor, or null if it is the whole
   * @param form {@code low-rank} or {@code direct}
   * @param rows number of rows of the adapted matrix
   * @param cols number of columns of the adapted matrix
   * @param rank rank r, or 0 in the direct form
   * @param stream number of the layer's random stream
   * @param scale scale as a hexadecimal float
   * @param a coefficients of factor A
   * @param b coefficients of factor B, or null in the direct form
   */
  public record LayerEntry(
      String tensor,
      List<Integer> shape,
      @Nullable SliceEntry slice,
      String form,
      int rows,
      int cols,
      int rank,
      long stream,
      String scale,
      SideEntry a,
      @Nullable SideEntry b) {}

  /**
   * The adapted part of a tensor.
   *
   * @param dim dimension that is cut
   * @param start first index of the part
   * @param length number of indexes
   */
  public record SliceEntry(int dim, int start, int length) {}

  /**
   * The coefficients of one factor.
   *
   * @param count number of coefficients
   * @param bits width of a code in bits
   */
  public record SideEntry(int count, int bits) {}

  /**
   * A tensor stored in full.
   *
   * @param name name of the tensor
   * @param dtype element type, such as {@code F32}
   * @param shape dimensions
   */
  public record DenseEntry(String name, String dtype, List<Integer> shape) {}

  /**
   * The metadata in the file.
   *
   * @param description text for people
   * @param task what the adapter is for
   * @param license SPDX licence expression
   * @param tags words to find it by
   * @param metrics results of evaluations, by name
   * @param provenance how it was made, by name
   */
  public record About(
      String description,
      String task,
      String license,
      SortedSet<String> tags,
      SortedMap<String, Double> metrics,
      SortedMap<String, String> provenance) {}

  /**
   * Describes a file.
   *
   * @param file the file
   * @return its contents
   */
  public static Contents of(AdapterFile file) {
    Adapter adapter = file.adapter();
    Sha256 identity = adapter.base().identity();
    return new Contents(
        AdapterFile.VERSION,
        adapter.generator().label(),
        "0x%016x".formatted(adapter.seed()),
        file.reconstructionDigest(),
        new Base(adapter.base().name(), adapter.base().revision(), identity),
        adapter.layers().stream().map(Contents::entry).toList(),
        adapter.dense().stream().map(Contents::entry).toList(),
        new About(
            adapter.metadata().description(),
            adapter.metadata().task(),
            adapter.metadata().license(),
            adapter.metadata().tags(),
            adapter.metadata().metrics(),
            adapter.metadata().provenance()));
  }

  private static LayerEntry entry(Layer layer) {
    int rank = layer.coefficients() instanceof LowRank lowRank ? lowRank.rank() : 0;
    Codes beta = layer.codes(Side.B);
    return new LayerEntry(
        layer.tensor(),
        layer.shape(),
        layer.slice() == null
            ? null
            : new SliceEntry(layer.slice().dim(), layer.slice().start(), layer.slice().length()),
        rank == 0 ? "direct" : "low-rank",
        layer.rows(),
        layer.cols(),
        rank,
        Integer.toUnsignedLong(layer.stream()),
        Float.toHexString(layer.scale()),
        entry(layer.coefficients().alpha()),
        beta == null ? null : entry(beta));
  }

  private static SideEntry entry(Codes codes) {
    return new SideEntry(codes.count(), codes.bits());
  }

  private static DenseEntry entry(DenseTensor tensor) {
    return new DenseEntry(tensor.name(), tensor.dtype().name(), tensor.shape());
  }
}
