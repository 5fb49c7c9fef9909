package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.A_BITS;
import static dev.nola.vectors.InvalidEntries.B_BITS;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.group;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/** Codes and dense sections that are not what the manifest says (rules 12 and 13). */
final class InvalidSections {
  private final InvalidEntries files;

  private InvalidSections(InvalidEntries files) {
    this.files = files;
  }

  static void addTo(InvalidEntries files) {
    InvalidSections sections = new InvalidSections(files);
    sections.codes();
    sections.dense();
  }

  private void codes() {
    for (int bits : new int[] {0, 17, 255}) {
      // 17 codes of 4 bits have 9 bytes; the codes section is as long as the other width needs.
      width("a-width-" + bits, A_BITS, 0, bits);
      width("b-width-" + bits, B_BITS, 1, bits);
    }
    for (int side = 0; side < 2; side++) {
      int lastByte = side == 0 ? 5 : 6;
      files.corrupt(
          (side == 0 ? "a" : "b") + "-unused-bit",
          "an unused bit of side " + (side == 0 ? "A" : "B"),
          builder -> builder.layer(InvalidNumbers.lowRank(Codes.of(3, 1, 2, 3), Codes.of(3, 5))),
          f -> f.set(f.codesStart() + lastByte, 0x80));
    }
    files.corrupt(
        "codes-shorter",
        "a codes section that lacks its last byte",
        InvalidNumbers::lowRank,
        f -> {
          byte[] codes = Arrays.copyOfRange(f.bytes(), f.codesStart(), f.denseStart() - 1);
          return f.replaceCodes(codes);
        });
    files.corrupt(
        "scale-of-the-second-layer",
        "a scale that is not a number in the second layer",
        builder ->
            builder
                .layer(InvalidEntries.direct("w.0", 1, 1))
                .layer(InvalidEntries.direct("w.1", 1, 1)),
        f -> f.u32(f.codesStart() + 5, 0x7fc00000));
  }

  private void width(String name, int field, int side, int bits) {
    files.corrupt(
        name,
        "codes of %d bits on side %s".formatted(bits, side == 0 ? "A" : "B"),
        InvalidSections::wide,
        f -> {
          byte[] codes = new byte[4 + (side == 0 ? bytes(bits) + 2 : 1 + bytes(bits))];
          codes[3] = 0x3f; // a scale of 0.5, and codes of 0
          return f.set(group(f, 0, field), bits).replaceCodes(codes);
        });
  }

  private static int bytes(int bits) {
    return (2 * bits + 7) / 8;
  }

  /** Two coefficients on each side; both widths are stored. */
  private static Adapter.Builder wide(Adapter.Builder builder) {
    return builder.layer(
        Layer.ofMatrix("w", 2, 3, 0, 1, new LowRank(1, Codes.of(3, 0, 0), Codes.of(8, 0, 0))));
  }

  private void dense() {
    files.corrupt(
        "dtype-255",
        "dtype 255",
        builder -> builder.dense(tensor("d", DType.F16)),
        f -> f.set(f.field(f.element(DENSE, 0), 2), 255));
    files.corrupt(
        "padding-of-the-second-tensor",
        "padding between two tensors that is not zero",
        builder -> builder.dense(tensor("a", DType.F16)).dense(tensor("b", DType.F16)),
        f -> f.set(f.bytes().length - 4 - 2 - 1, 1));
    files.corrupt(
        "dense-shorter",
        "a dense section that lacks its last byte",
        builder -> builder.dense(tensor("d", DType.F16)),
        f -> {
          int end = f.bytes().length - 4;
          int length = end - f.denseStart();
          return f.cut(end - 1).insert(end - 1, new byte[4]).u64(24, length - 1);
        });
    files.corrupt(
        "dense-missing",
        "a dense tensor, and no dense section",
        builder -> builder.dense(tensor("d", DType.F16)),
        f -> {
          int start = f.denseStart();
          return f.cut(start).insert(start, new byte[4]).u64(24, 0);
        });
  }

  private static DenseTensor tensor(String name, DType dtype) {
    return new DenseTensor(name, dtype, List.of(1), MemorySegment.ofArray(new byte[dtype.bytes()]));
  }
}
