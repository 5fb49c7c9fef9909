package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Valid files at the edge of what is legal, and those whose results show an order of rounding. */
final class EdgeFiles {
  private final Map<String, ValidFiles.Entry> files;
  private final Random random = new Random(22);

  private EdgeFiles(Map<String, ValidFiles.Entry> files) {
    this.files = files;
  }

  static void addTo(Map<String, ValidFiles.Entry> files) {
    EdgeFiles edges = new EdgeFiles(files);
    edges.texts();
    edges.shapes();
    edges.widths();
    edges.largest();
    edges.orderOfSums();
    edges.forMerges();
    edges.minor();
  }

  private void texts() {
    String name = "é".repeat(128);
    add(
        "names-of-256-bytes",
        "every name as long as it may be, in characters of two bytes",
        smallest(name)
            .dense(InvalidTexts.dense("d".repeat(256)))
            .base(new BaseModel(name, name, null))
            .metadata(
                Metadata.NONE
                    .withTags(name)
                    .withMetrics(Map.of(name, 1.0))
                    .withProvenance(Map.of(name, ""))));
    add(
        "group-up-to-256-bytes",
        "a group whose second name, 10, has 256 bytes",
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(InvalidEntries.direct("9." + "x".repeat(253), 1, 1))
            .layer(InvalidEntries.direct("10." + "x".repeat(253), 1, 1)));
    String text = "line\n\t\u0000" + "x".repeat(65_529);
    add(
        "texts-of-65536-bytes",
        "every text as long as it may be, with control characters",
        smallest("w").metadata(Metadata.of(text, text, text).withProvenance(Map.of("k", text))));
  }

  private void shapes() {
    add(
        "eight-dimensions",
        "tensors of eight dimensions, adapted and dense",
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(
                new Layer(
                    "w",
                    List.of(1, 2, 1, 1, 3, 1, 1, 1),
                    new Slice(4, 2, 1),
                    2,
                    1,
                    0,
                    1,
                    new Direct(Codes.of(4, 9))))
            .dense(
                new DenseTensor(
                    "d",
                    DType.BF16,
                    List.of(1, 1, 1, 1, 1, 1, 1, 1),
                    MemorySegment.ofArray(new byte[2]))));
    add(
        "slices-side-by-side",
        "slices that meet and leave nothing out, the last one up to the end",
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .layer(rows(0, 1))
            .layer(rows(1, 3))
            .layer(rows(4, 1)));
    add(
        "highest-index",
        "a group that ends with index 999,999,999",
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(InvalidEntries.direct("w.999999998", 1, 1))
            .layer(InvalidEntries.direct("w.999999999", 1, 1)));
  }

  private static Layer rows(int start, int length) {
    return new Layer(
        "w",
        List.of(5, 2),
        new Slice(0, start, length),
        length,
        2,
        0,
        0.5f,
        new Direct(Codes.of(4, 9)));
  }

  private void widths() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.UNIFORM24).seed(1);
    for (int bits = 1; bits <= 16; bits++) {
      adapter.layer(
          Layer.ofMatrix(
              "w." + bits,
              3,
              2,
              bits,
              0x1p-30f,
              new LowRank(2, codes(bits, 7), codes(17 - bits, 11))));
    }
    add("every-width", "every width on both sides", adapter);
  }

  private void largest() {
    add(
        "most-exact-coefficients",
        "uniform24 with 8,192 coefficients of 16 bits, as many as are exact",
        Adapter.builder()
            .generator(Generator.UNIFORM24)
            .layer(Layer.ofMatrix("w", 1, 2, 0, 0x1p-60f, new Direct(codes(16, 8192)))));
    add(
        "most-columns",
        "srht with as many coefficients as columns, on both sides of a length between powers of 2",
        Adapter.builder()
            .generator(Generator.SRHT)
            .layer(
                Layer.ofMatrix("w", 33, 47, 0, 1, new LowRank(3, codes(16, 64), codes(16, 128)))));
    Adapter.Builder layers = Adapter.builder().generator(Generator.RADEMACHER);
    for (int i = 0; i < 300; i++) {
      layers.layer(Layer.ofMatrix("w." + i, 1, 1, i, 1, new Direct(codes(1, 1))));
    }
    add("many-layers", "a group of 300 layers", layers);
  }

  /** Large terms that cancel, so that ΔW is another number for every other order of t. */
  private void orderOfSums() {
    add(
        "order-of-t",
        "rank 24, terms of many magnitudes: ΔW depends on the order in which they are added",
        Adapter.builder()
            .generator(Generator.UNIFORM24)
            .seed(3)
            .layer(
                Layer.ofMatrix(
                    "w", 3, 4, 0, 0x1.234568p-3f, new LowRank(24, codes(16, 50), codes(16, 50))))
            .layer(
                Layer.ofMatrix(
                    "x", 4, 3, 1, 0x1.fffffep-9f, new LowRank(7, codes(13, 9), codes(11, 9)))));
  }

  private void forMerges() {
    element("merge-one", "ΔW is 1", 1, 1);
    element("merge-three", "ΔW is 3", 2, 1);
    element("merge-f16-above", "ΔW is 2^-11 + 2^-30", 1, 0x1p-11f + 0x1p-30f);
    element("merge-f16-below", "ΔW is 2^-11 - 2^-30", 1, 0x1p-11f - 0x1p-30f);
    element("merge-bf16-above", "ΔW is 2^-8 + 2^-28", 1, 0x1p-8f + 0x1p-28f);
    element("merge-bf16-below", "ΔW is 2^-8 - 2^-28", 1, 0x1p-8f - 0x1p-28f);
  }

  /** Two elements v·scale, each. */
  private void element(String name, String about, int bits, float scale) {
    int highest = (1 << bits) - 1;
    add(
        name,
        about,
        Adapter.builder()
            .generator(Generator.IDENTITY)
            .layer(
                Layer.ofMatrix("w", 1, 2, 0, scale, new Direct(Codes.of(bits, highest, highest)))));
  }

  private void minor() {
    files.put(
        "minor-7", new ValidFiles.Entry("format version 1.7", smallest("w").build(), 7, true));
  }

  private static Adapter.Builder smallest(String tensor) {
    return Adapter.builder()
        .generator(Generator.RADEMACHER)
        .layer(InvalidEntries.direct(tensor, 1, 1));
  }

  private Codes codes(int bits, int count) {
    return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
  }

  private void add(String name, String about, Adapter.Builder adapter) {
    files.put(name, new ValidFiles.Entry(about, adapter.build(), 0, true));
  }
}
