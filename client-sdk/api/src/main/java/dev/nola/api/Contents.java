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
 * What a file says, without its codes.
 *
 * @param format version of the format
 * @param seed {@code 0x} and 16 hex digits
 * @param reconstructionDigest of what it reconstructs to (SPEC.md section 8)
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
   * @param identity digest of the adapted tensors, or null
   */
  public record Base(String name, String revision, @Nullable Sha256 identity) {}

  /**
   * A layer.
   *
   * @param form {@code low-rank} or {@code direct}
   * @param rank r, or 0 of the direct form
   * @param scale as a hexadecimal float
   * @param b null of the direct form
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

  /** The adapted part of a tensor. */
  public record SliceEntry(int dim, int start, int length) {}

  /** One side's coefficients: how many, and of what width. */
  public record SideEntry(int count, int bits) {}

  /** A tensor stored as it is. */
  public record DenseEntry(String name, String dtype, List<Integer> shape) {}

  /** Metadata as the file has it. */
  public record About(
      String description,
      String task,
      String license,
      SortedSet<String> tags,
      SortedMap<String, Double> metrics,
      SortedMap<String, String> provenance) {}

  /** Describes a file. */
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
