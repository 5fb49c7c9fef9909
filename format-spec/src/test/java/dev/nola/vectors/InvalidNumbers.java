package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.COLS;
import static dev.nola.vectors.InvalidEntries.COUNT;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.K;
import static dev.nola.vectors.InvalidEntries.L;
import static dev.nola.vectors.InvalidEntries.RANK;
import static dev.nola.vectors.InvalidEntries.ROWS;
import static dev.nola.vectors.InvalidEntries.SHAPE;
import static dev.nola.vectors.InvalidEntries.SLICE;
import static dev.nola.vectors.InvalidEntries.group;
import static dev.nola.vectors.InvalidEntries.groupTarget;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/** Numbers of the manifest that are 0 or above 2³¹ − 1, and views and slices that do not fit. */
final class InvalidNumbers {
  private static final int TOO_HIGH = Integer.MIN_VALUE;

  private final InvalidEntries files;

  private InvalidNumbers(InvalidEntries files) {
    this.files = files;
  }

  static void addTo(InvalidEntries files) {
    InvalidNumbers numbers = new InvalidNumbers(files);
    numbers.numbers();
    numbers.coefficients();
    numbers.dimensions();
    numbers.slices();
    numbers.groups();
  }

  private void numbers() {
    number("rows-zero", "no rows, as many columns as the tensor", f -> group(f, 0, ROWS), 0);
    number("cols-zero", "no columns", f -> group(f, 0, COLS), 0);
    number("rank-zero", "a rank of 0 that is stored", f -> group(f, 0, RANK), 0);
    view("rows-2to31", "2^31 rows", ROWS, TOO_HIGH);
    view("cols-2to31", "2^31 columns", COLS, TOO_HIGH);
    number("rank-2to31", "rank 2^31", f -> group(f, 0, RANK), TOO_HIGH);
    number("k-2to31", "2^31 coefficients of side A", f -> group(f, 0, K), TOO_HIGH);
    number("l-2to31", "2^31 coefficients of side B", f -> group(f, 0, L), TOO_HIGH);
    view("view-too-large", "three rows instead of two", ROWS, 3);
    view("view-too-small", "one column instead of three", COLS, 1);
  }

  private void number(String name, String about, ToIntFunction<RawFile> position, int value) {
    files.corrupt(name, about, InvalidNumbers::lowRank, f -> f.u32(position.applyAsInt(f), value));
  }

  private void view(String name, String about, int field, int value) {
    files.corrupt(name, about, InvalidNumbers::shaped, f -> f.u32(group(f, 0, field), value));
  }

  private void coefficients() {
    files.corrupt(
        "k-zero-direct",
        "no coefficient in the direct form",
        InvalidEntries::smallest,
        f -> withoutCodes(f.u32(group(f, 0, K), 0), 4, 1));
    files.corrupt(
        "k-zero",
        "no coefficient of side A",
        InvalidNumbers::lowRank,
        f -> withoutCodes(f.u32(group(f, 0, K), 0), 4, 1));
    files.corrupt(
        "l-zero",
        "no coefficient of side B",
        InvalidNumbers::lowRank,
        f -> withoutCodes(f.u32(group(f, 0, L), 0), 5, 1));
  }

  /** Removes bytes of the codes section. */
  private static RawFile withoutCodes(RawFile file, int offset, int count) {
    byte[] codes = Arrays.copyOfRange(file.bytes(), file.codesStart(), file.denseStart());
    byte[] fewer = Arrays.copyOf(codes, codes.length - count);
    System.arraycopy(codes, offset + count, fewer, offset, fewer.length - offset);
    return file.replaceCodes(fewer);
  }

  private void dimensions() {
    int[] values = {0, TOO_HIGH};
    for (int value : values) {
      String name = value == 0 ? "zero" : "2to31";
      String about = value == 0 ? "0" : "2^31";
      files.corrupt(
          "dimension-" + name,
          "a tensor's dimension of " + about,
          InvalidNumbers::shaped,
          f -> f.u32(groupTarget(f, 0, SHAPE) + 4 + 8, value));
      files.corrupt(
          "dense-dimension-" + name,
          "a dense tensor's dimension of " + about,
          builder -> builder.dense(InvalidTexts.dense("d")),
          f -> f.u32(f.follow(f.field(f.element(DENSE, 0), 1)) + 4, value));
    }
    files.corrupt(
        "dense-without-elements",
        "a dense tensor of no element",
        builder ->
            builder.dense(
                new DenseTensor("d", DType.F16, List.of(2, 0), MemorySegment.ofArray(new byte[0]))),
        f -> f);
    files.corrupt(
        "shape-empty",
        "a shape of no dimension",
        InvalidNumbers::shaped,
        f ->
            f.u32(groupTarget(f, 0, SHAPE), 0).u32(group(f, 0, ROWS), 1).u32(group(f, 0, COLS), 1));
    files.corrupt(
        "dimension-zero-of-huge-tensor",
        "2^31-1 three times, and 0: no element at all",
        builder ->
            builder.layer(
                new Layer(
                    "w",
                    List.of(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, 0),
                    null,
                    1,
                    1,
                    0,
                    1,
                    new Direct(Codes.of(4, 9)))),
        f -> f);
  }

  private void slices() {
    slice("slice-dim", "a slice along a dimension that is not there", 0, 2);
    slice("slice-dim-2to31", "a slice along dimension 2^31", 0, TOO_HIGH);
    slice("slice-start-2to31", "a slice from 2^31", 4, TOO_HIGH);
    slice("slice-length-2to31", "a slice of 2^31 rows", 8, TOO_HIGH);
    slice("slice-length-zero", "a slice of no row", 8, 0);
    slice("slice-end", "a slice that ends one row after the tensor", 4, 3);
    slice("slice-start-highest", "a slice from 2^31 - 1, whose end has 32 bits", 4, -1 >>> 1);
    files.corrupt(
        "slice-whole",
        "a slice that is the whole tensor",
        builder -> builder.layer(part(4, new Slice(0, 0, 4), 4)),
        f -> f);
  }

  private void slice(String name, String about, int offset, int value) {
    files.corrupt(
        name,
        about,
        builder -> builder.layer(part(4, new Slice(0, 1, 2), 2)),
        f -> f.u32(group(f, 0, SLICE) + offset, value));
  }

  private static Layer part(int size, Slice slice, int rows) {
    return new Layer("w", List.of(size, 2), slice, rows, 2, 0, 1, new Direct(Codes.of(4, 9)));
  }

  private void groups() {
    files.corrupt(
        "group-of-no-layer",
        "a group of no layer beside another one",
        builder ->
            builder
                .layer(InvalidEntries.direct("a.1", 1, 1))
                .layer(InvalidEntries.direct("a.2", 1, 1))
                .layer(InvalidEntries.direct("b", 1, 1)),
        f -> {
          f.u32(group(f, 0, COUNT), 0);
          byte[] codes = new byte[f.denseStart() - f.codesStart() - 10];
          System.arraycopy(f.bytes(), f.codesStart(), codes, 0, codes.length);
          return f.replaceCodes(codes);
        });
    files.corrupt(
        "group-without-index",
        "a group of two whose name has no index",
        builder ->
            builder
                .layer(InvalidEntries.direct("a.1", 1, 1))
                .layer(InvalidEntries.direct("a.2", 1, 1)),
        f -> f.set(groupTarget(f, 0, InvalidEntries.TENSOR) + 6, 'x'));
    files.corrupt(
        "group-index-too-high",
        "a group whose second index would be 1,000,000,000",
        builder ->
            builder
                .layer(InvalidEntries.direct("999999998", 1, 1))
                .layer(InvalidEntries.direct("999999999", 1, 1)),
        f -> f.set(groupTarget(f, 0, InvalidEntries.TENSOR) + 12, '9'));
  }

  /** A layer of 2×3 and rank 1 whose numbers are all stored. */
  static Adapter.Builder lowRank(Adapter.Builder builder) {
    return builder.layer(lowRank(Codes.of(4, 9), Codes.of(4, 9, 1)));
  }

  static Layer lowRank(Codes alpha, Codes beta) {
    return Layer.ofMatrix("w", 2, 3, 0, 1, new LowRank(1, alpha, beta));
  }

  private static Adapter.Builder shaped(Adapter.Builder builder) {
    return builder.layer(
        new Layer("w", List.of(2, 1, 3), null, 2, 3, 0, 1, new Direct(Codes.of(4, 9))));
  }
}
