package dev.nola.format;

import dev.nola.digest.Sha256;
import dev.nola.format.ManifestBytes.Table;
import dev.nola.format.ManifestContent.Base;
import dev.nola.format.ManifestContent.CodesHead;
import dev.nola.format.ManifestContent.Dense;
import dev.nola.format.ManifestContent.Group;
import dev.nola.format.ManifestContent.MetricEntry;
import dev.nola.format.ManifestContent.PropertyEntry;
import dev.nola.format.ManifestContent.Range;
import dev.nola.format.ManifestContent.Texts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a whole manifest (rule 9 of SPEC.md section 11), whatever its values. Numbers in calls
 * are the fields' ids in section 4.1.
 */
final class ManifestDecoder {
  private static final int SLICE_BYTES = 12;
  private static final int DEFAULT_BITS = 4;

  /** Layers in the groups decoded so far, modulo 2³²: the position of the next group's first. */
  private int position;

  private ManifestDecoder() {}

  /**
   * Decodes a manifest.
   *
   * @param manifest its bytes
   * @return what it says
   * @throws RuleViolation if rule 9 is broken
   */
  static ManifestContent decode(byte[] manifest) {
    return new ManifestDecoder().content(new ManifestBytes(manifest).root());
  }

  private ManifestContent content(Table root) {
    root.require(6, "generator").require(7, "reconstruction digest");
    List<Group> groups = root.tables(1, Limits.LAYERS, this::group);
    List<Dense> dense = root.tables(2, Limits.DENSE_TENSORS, ManifestDecoder::dense);
    Base base =
        new Base(
            root.text(3, "base model name"),
            root.text(4, "base model revision"),
            digest(root.struct(8, Sha256.BYTES)));
    Texts metadata = metadata(root.table(5));
    Sha256 digest = digest(root.struct(7, Sha256.BYTES));
    return new ManifestContent(root.u64(0), root.u8(6, 0), groups, dense, base, metadata, digest);
  }

  private Group group(Table table) {
    table.require(0, "tensor name").require(1, "rows").require(3, "k");
    long rows = table.u32(1, 0);
    long cols = table.u32(5, rows);
    long k = table.u32(3, 0);
    int bits = table.u8(11, DEFAULT_BITS);
    List<Long> shape = table.numbers(9, Limits.DIMENSIONS);
    Group group =
        new Group(
            table.text(0, "tensor name"),
            table.u32(4, 1),
            shape == null ? List.of(rows, cols) : shape,
            range(table.struct(10, SLICE_BYTES)),
            rows,
            cols,
            !table.has(2),
            table.u32(2, 0),
            new CodesHead(k, bits),
            new CodesHead(table.u32(6, k), table.u8(12, bits)),
            (int) table.u32(7, position),
            (int) table.u32(8, 1));
    position += (int) group.count();
    return group;
  }

  private static Dense dense(Table table) {
    table.require(0, "dense tensor name");
    List<Long> shape = table.numbers(1, Limits.DIMENSIONS);
    return new Dense(
        table.text(0, "dense tensor name"), table.u8(2, 0), shape == null ? List.of() : shape);
  }

  private static Texts metadata(@Nullable Table table) {
    if (table == null) {
      return Texts.NONE;
    }
    return new Texts(
        table.text(0, "description"),
        table.text(1, "task"),
        table.text(2, "license"),
        table.tables(3, Limits.METADATA_ENTRIES, entry -> entry.require(0, "tag").text(0, "tag")),
        table.tables(4, Limits.METADATA_ENTRIES, ManifestDecoder::metric),
        table.tables(5, Limits.METADATA_ENTRIES, ManifestDecoder::property));
  }

  private static MetricEntry metric(Table table) {
    table.require(1, "metric name");
    return new MetricEntry(table.text(1, "metric name"), Double.longBitsToDouble(table.u64(0)));
  }

  private static PropertyEntry property(Table table) {
    table.require(0, "provenance key");
    return new PropertyEntry(table.text(0, "provenance key"), table.text(1, "provenance value"));
  }

  private static @Nullable Sha256 digest(byte @Nullable [] struct) {
    return struct == null ? null : Sha256.ofBytes(struct);
  }

  private static @Nullable Range range(byte @Nullable [] struct) {
    if (struct == null) {
      return null;
    }
    ByteBuffer in = ByteBuffer.wrap(struct).order(ByteOrder.LITTLE_ENDIAN);
    return new Range(u32(in), u32(in), u32(in));
  }

  private static long u32(ByteBuffer in) {
    return Integer.toUnsignedLong(in.getInt());
  }
}
