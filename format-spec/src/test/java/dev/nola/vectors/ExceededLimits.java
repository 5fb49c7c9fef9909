package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.COUNT;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.SHAPE;
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
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Every limit of SPEC.md section 10 but those of texts: a file at the limit, which only a later
 * rule refuses, and one beyond.
 */
final class ExceededLimits {
  private static final int MAX = Integer.MAX_VALUE;

  private final InvalidEntries files;

  private ExceededLimits(InvalidEntries files) {
    this.files = files;
  }

  static void addTo(InvalidEntries files) {
    ExceededLimits limits = new ExceededLimits(files);
    limits.lengths();
    limits.counts();
    limits.shapes();
    limits.factors();
  }

  private void lengths() {
    length("manifest", f -> f.u32(12, 1 << 24), f -> f.u32(12, (1 << 24) + 1));
    length("codes", f -> f.u64(16, 1 << 30), f -> f.u64(16, (1 << 30) + 1));
    length("dense", f -> f.u64(24, 1L << 46), f -> f.u64(24, (1L << 46) + 1));
  }

  private void length(String name, UnaryOperator<RawFile> legal, UnaryOperator<RawFile> beyond) {
    files.damaged(
        name + "-length-highest",
        "the highest length of " + name + ", in a file that is shorter",
        Kinds.CORRUPT,
        InvalidEntries::smallest,
        legal);
    files.damaged(
        name + "-length-beyond",
        "the highest length of " + name + " and 1",
        Kinds.LIMIT,
        InvalidEntries::smallest,
        beyond);
  }

  private void counts() {
    count("layers-65536", "65,536 layers, with the codes of two", Kinds.CORRUPT, 65_536);
    count("layers-65537", "65,537 layers", Kinds.LIMIT, 65_537);
    count("layers-2to31", "2^31 layers", Kinds.LIMIT, 1 << 31);
    count("layers-highest", "2^32 - 1 layers", Kinds.LIMIT, -1);
    files.add(
        "groups-65537-of-no-layer",
        "65,537 groups of no layer",
        Kinds.LIMIT,
        RepeatedTables.groups(65_537));
    for (int more = 0; more < 2; more++) {
      String kind = more == 0 ? Kinds.CORRUPT : Kinds.LIMIT;
      files.add(
          "dense-tensors-" + (65_536 + more),
          "%,d dense tensors of one name, without data".formatted(65_536 + more),
          kind,
          RepeatedTables.denseTensors(65_536 + more));
      String[] lists = {"tags", "metrics", "properties"};
      for (int list = 0; list < lists.length; list++) {
        files.add(
            lists[list] + "-" + (4096 + more),
            "%,d %s, all the same".formatted(4096 + more, lists[list]),
            kind,
            RepeatedTables.metadata(3 + list, 4096 + more));
      }
    }
  }

  private void count(String name, String about, String kind, int count) {
    files.damaged(
        name,
        about,
        kind,
        builder ->
            builder
                .layer(InvalidEntries.direct("w.0", 1, 1))
                .layer(InvalidEntries.direct("w.1", 1, 1)),
        f -> f.u32(group(f, 0, COUNT), count));
  }

  private void shapes() {
    shape(
        "elements-highest",
        "a tensor of 2^63 - 2^32 elements, of which one is adapted",
        Kinds.CORRUPT,
        List.of(MAX, 1 << 16, 1 << 16));
    shape(
        "elements-beyond",
        "a tensor of 2^63 elements or more",
        Kinds.LIMIT,
        List.of(MAX, 1 << 16, 1 << 17));
    files.damaged(
        "elements-of-the-view",
        "2^32 - 1 rows and columns, and no shape",
        Kinds.LIMIT,
        builder -> builder.layer(InvalidEntries.direct("w", 1, 2)),
        f -> f.u32(group(f, 0, InvalidEntries.ROWS), -1).u32(group(f, 0, InvalidEntries.COLS), -1));
    dense("dense-elements-highest", "2^61 - 2^30 elements", Kinds.CORRUPT, MAX, 1 << 30, 1);
    dense("dense-elements-beyond", "2^61 elements", Kinds.LIMIT, 1 << 30, 1 << 30, 2);
    files.content(
        "dense-dimensions-9",
        "a dense tensor of nine dimensions",
        Kinds.LIMIT,
        builder ->
            builder.dense(
                new DenseTensor(
                    "d",
                    DType.F16,
                    List.of(1, 1, 1, 1, 1, 1, 1, 1, 1),
                    MemorySegment.ofArray(new byte[2]))));
    files.content(
        "dimensions-9",
        "a layer's tensor of nine dimensions",
        Kinds.LIMIT,
        builder ->
            builder.layer(
                new Layer(
                    "w",
                    List.of(1, 1, 1, 1, 1, 1, 1, 1, 1),
                    null,
                    1,
                    1,
                    0,
                    1,
                    new Direct(Codes.of(4, 9)))));
    files.damaged(
        "dimensions-many",
        "a shape of 2^20 dimensions, which the manifest has no room for",
        Kinds.CORRUPT,
        InvalidDecoding::everything,
        f -> f.u32(groupTarget(f, 0, SHAPE), 1 << 20));
  }

  private void shape(String name, String about, String kind, List<Integer> shape) {
    files.damaged(
        name,
        about,
        kind,
        builder ->
            builder.layer(
                new Layer(
                    "w",
                    shape,
                    new Slice(0, 1, 1),
                    shape.get(1),
                    shape.get(2),
                    0,
                    1,
                    new LowRank(1, Codes.of(4, 9), Codes.of(4, 9)))),
        ExceededLimits::notCanonical);
  }

  private void dense(String name, String about, String kind, int... dims) {
    files.damaged(
        name,
        "a dense tensor of " + about + ", without data",
        kind,
        builder ->
            builder.dense(
                new DenseTensor(
                    "d", DType.F16, List.of(1, 1, 1), MemorySegment.ofArray(new byte[2]))),
        f -> {
          int shape = f.follow(f.field(f.element(DENSE, 0), 1));
          for (int i = 0; i < dims.length; i++) {
            f.u32(shape + 4 + 4 * i, dims[i]);
          }
          return f;
        });
  }

  private void factors() {
    edge("factor-direct", Generator.RADEMACHER, builder -> direct(builder, 1, MAX), 2, 1 << 30);
    edge("factor-srht", Generator.SRHT, builder -> direct(builder, 1, 1 << 30), 1, (1 << 30) + 1);
    for (Generator generator : List.of(Generator.RADEMACHER, Generator.SRHT)) {
      int limit = generator.maxLength();
      String name = "factor-" + generator.label().substring("philox-".length());
      factor(name + "-a-highest", generator, Kinds.CORRUPT, limit, 1);
      factor(name + "-b-highest", generator, Kinds.CORRUPT, 1, limit);
      lowRank(name + "-a-beyond", generator, 1 << 30, 1);
      lowRank(name + "-b-beyond", generator, 1, 1 << 30);
    }
    sum("factors-highest", "128 layers of 2^31 elements: 2^38", Kinds.CORRUPT, 128);
    sum("factors-beyond", "129 layers of 2^31 elements", Kinds.LIMIT, 129);
    work("bases-highest", "2^23 coefficients of 2^30 elements: 2^53", Kinds.CORRUPT, 1 << 23);
    work("bases-beyond", "2^23 + 1 coefficients of 2^30 elements", Kinds.LIMIT, (1 << 23) + 1);
    work("bases-beyond-63-bits", "2^24 in all: no overflow", Kinds.LIMIT, 1 << 24);
  }

  private void edge(
      String name, Generator generator, UnaryOperator<Adapter.Builder> legal, int rows, int cols) {
    files.damaged(
        name + "-highest",
        "the longest factor of " + generator + ", and unused bytes behind the manifest",
        Kinds.CORRUPT,
        builder -> legal.apply(builder.generator(generator)),
        ExceededLimits::notCanonical);
    files.content(
        name + "-beyond",
        "a factor that is too long for " + generator,
        Kinds.LIMIT,
        builder -> direct(builder.generator(generator), rows, cols));
  }

  private static Adapter.Builder direct(Adapter.Builder builder, int rows, int cols) {
    return builder.layer(InvalidEntries.direct("w", rows, cols));
  }

  private void factor(String name, Generator generator, String kind, int rows, int cols) {
    files.damaged(
        name,
        "the longest factor of " + generator + ", and unused bytes behind the manifest",
        kind,
        builder -> lowRank(builder.generator(generator), 1, rows, cols),
        ExceededLimits::notCanonical);
  }

  private void lowRank(String name, Generator generator, int rows, int cols) {
    files.content(
        name,
        "a factor of 2^31 elements",
        Kinds.LIMIT,
        builder -> lowRank(builder.generator(generator), 2, rows, cols));
  }

  private static Adapter.Builder lowRank(Adapter.Builder builder, int rank, int rows, int cols) {
    return builder.layer(
        Layer.ofMatrix("w", rows, cols, 0, 1, new LowRank(rank, Codes.of(4, 9), Codes.of(4, 9))));
  }

  private void sum(String name, String about, String kind, int layers) {
    files.damaged(
        name,
        about,
        kind,
        builder -> {
          for (int i = 0; i < layers; i++) {
            builder.layer(
                Layer.ofMatrix(
                    "w." + i, 2, 2, i, 0, new LowRank(1 << 29, Codes.of(4, 9), Codes.of(4, 9))));
          }
          return builder;
        },
        ExceededLimits::notCanonical);
  }

  private void work(String name, String about, String kind, int count) {
    files.damaged(
        name,
        about,
        kind,
        builder -> {
          int layers = count == 1 << 24 ? 2 : 1;
          for (int i = 0; i < layers; i++) {
            builder.layer(
                Layer.ofMatrix(
                    "w." + i,
                    1 << 15,
                    1 << 15,
                    i,
                    0,
                    new Direct(Codes.of(1, new int[count / layers]))));
          }
          return builder;
        },
        ExceededLimits::notCanonical);
  }

  /** Puts four unused bytes behind the manifest. */
  static RawFile notCanonical(RawFile file) {
    return file.insert(file.codesStart(), new byte[4]).u32(12, file.manifestLength() + 4);
  }
}
