package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.GENERATOR_ID;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Layers that overlap, and coefficients that a generator does not allow. */
final class InvalidContent {
  private final InvalidEntries files;

  private InvalidContent(InvalidEntries files) {
    this.files = files;
  }

  static void addTo(InvalidEntries files) {
    InvalidContent content = new InvalidContent(files);
    content.overlaps();
    content.numbersOfCoefficients();
    content.identity();
    content.order();
  }

  private void overlaps() {
    overlap("whole-twice", "one tensor adapted twice", part(null), part(null));
    overlap("whole-and-slice", "a tensor and a slice of it", part(null), part(new Slice(0, 1, 2)));
    overlap("slice-twice", "one slice twice", part(new Slice(0, 1, 2)), part(new Slice(0, 1, 2)));
    overlap(
        "slice-in-slice",
        "a slice inside of another one",
        part(new Slice(0, 0, 3)),
        part(new Slice(0, 1, 1)));
    overlap(
        "row-and-column", "a row and a column", part(new Slice(0, 1, 1)), part(new Slice(1, 0, 1)));
    overlap(
        "shapes-of-whole-and-slice",
        "slices of one tensor that is 4x3 for one and 5x3 for the other",
        part(new Slice(0, 0, 1)),
        new Layer("w", List.of(5, 3), new Slice(0, 1, 1), 1, 3, 0, 1, new Direct(Codes.of(4, 9))));
    corrupt(
        "dense-adapted-by-slice",
        "a dense tensor, and a slice of the tensor it replaces",
        builder -> builder.layer(part(new Slice(0, 1, 2))).dense(InvalidTexts.dense("w")));
  }

  private void overlap(String name, String about, Layer one, Layer other) {
    corrupt(name, about, builder -> builder.layer(one).layer(other));
  }

  private static Layer part(@Nullable Slice slice) {
    int rows = slice != null && slice.dim() == 0 ? slice.length() : 4;
    int cols = slice != null && slice.dim() == 1 ? slice.length() : 3;
    return new Layer("w", List.of(4, 3), slice, rows, cols, 0, 1, new Direct(Codes.of(4, 9)));
  }

  private void numbersOfCoefficients() {
    sums("sums-not-exact-direct", new Direct(zeros(16, 8193)));
    sums("sums-not-exact-a", new LowRank(1, zeros(16, 8193), Codes.of(16, 0)));
    sums("sums-not-exact-b", new LowRank(1, Codes.of(16, 0), zeros(16, 8193)));
    columns("more-than-columns-direct", new Direct(zeros(1, 9)));
    columns("more-than-columns-a", new LowRank(1, zeros(1, 5), zeros(1, 1)));
    columns("more-than-columns-b", new LowRank(1, zeros(1, 1), zeros(1, 3)));
  }

  private void sums(String name, Coefficients coefficients) {
    corrupt(
        name,
        "8,193 coefficients of 16 bits for uniform24, whose sums would not be exact",
        builder -> builder.generator(Generator.UNIFORM24).layer(layer(coefficients)));
  }

  private void columns(String name, Coefficients coefficients) {
    corrupt(
        name,
        "one srht coefficient more than the transform has columns",
        builder -> builder.generator(Generator.SRHT).layer(layer(coefficients)));
  }

  /** A layer of 5×3, whose factors of rank 1 have 4 and 2 columns, 8 in the direct form. */
  private static Layer layer(Coefficients coefficients) {
    return Layer.ofMatrix("w", 5, 3, 0, 1, coefficients);
  }

  private static Codes zeros(int bits, int count) {
    return Codes.of(bits, new int[count]);
  }

  private void identity() {
    for (int change : new int[] {-1, 1}) {
      String what = change < 0 ? "fewer" : "more";
      count("identity-" + what + "-direct", new Direct(zeros(4, 15 + change)));
      count("identity-" + what + "-a", new LowRank(1, zeros(4, 5 + change), zeros(4, 3)));
      count("identity-" + what + "-b", new LowRank(1, zeros(4, 5), zeros(4, 3 + change)));
    }
    corrupt(
        "identity-seed",
        "generator 5 with seed 1",
        builder -> identity(builder).seed(1).layer(layer(new Direct(zeros(4, 15)))));
    corrupt(
        "identity-stream",
        "generator 5 with stream 1",
        builder ->
            identity(builder).layer(Layer.ofMatrix("w", 1, 1, 1, 1, new Direct(Codes.of(4, 9)))));
    corrupt(
        "identity-stream-step",
        "generator 5 with streams 0 and 1 in one group",
        builder ->
            identity(builder)
                .layer(Layer.ofMatrix("w.0", 1, 1, 0, 1, new Direct(Codes.of(4, 9))))
                .layer(Layer.ofMatrix("w.1", 1, 1, 1, 1, new Direct(Codes.of(4, 9)))));
  }

  private void count(String name, Coefficients coefficients) {
    corrupt(
        name,
        "generator 5 with a coefficient too many or too few",
        builder -> identity(builder).layer(layer(coefficients)));
  }

  private static Adapter.Builder identity(Adapter.Builder builder) {
    return builder.generator(Generator.IDENTITY);
  }

  private void corrupt(String name, String about, UnaryOperator<Adapter.Builder> content) {
    files.corrupt(name, about, content, f -> f);
  }

  /** Files that break rules of two stages: the earlier one says what the file is refused as. */
  private void order() {
    files.damaged(
        "unknown-generator-and-scale",
        "an unknown generator, and a scale that is not a number",
        Kinds.GENERATOR,
        InvalidEntries::smallest,
        f -> f.set(f.field(f.root(), GENERATOR_ID), 6).u32(f.codesStart(), 0x7fc00000));
    files.damaged(
        "dimensions-and-unknown-generator",
        "a shape of 2^16 times 2^16 times 2^31-1 elements, and an unknown generator",
        Kinds.LIMIT,
        builder ->
            builder.layer(
                new Layer(
                    "w",
                    List.of(1 << 16, 1 << 17, Integer.MAX_VALUE),
                    null,
                    1,
                    1,
                    0,
                    1,
                    new Direct(Codes.of(4, 9)))),
        f -> f.set(f.field(f.root(), GENERATOR_ID), 6));
    files.damaged(
        "too-long-and-not-canonical",
        "a factor of 2^31 elements, and unused bytes behind the manifest",
        Kinds.LIMIT,
        builder -> builder.layer(InvalidEntries.direct("w", 2, 1 << 30)),
        ExceededLimits::notCanonical);
  }
}
