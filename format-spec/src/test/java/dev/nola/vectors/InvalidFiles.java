package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.A_BITS;
import static dev.nola.vectors.InvalidEntries.BASE_NAME;
import static dev.nola.vectors.InvalidEntries.COUNT;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.DIGEST;
import static dev.nola.vectors.InvalidEntries.GENERATOR_ID;
import static dev.nola.vectors.InvalidEntries.K;
import static dev.nola.vectors.InvalidEntries.LAYERS;
import static dev.nola.vectors.InvalidEntries.METADATA;
import static dev.nola.vectors.InvalidEntries.RANK;
import static dev.nola.vectors.InvalidEntries.ROWS;
import static dev.nola.vectors.InvalidEntries.SHAPE;
import static dev.nola.vectors.InvalidEntries.SLICE;
import static dev.nola.vectors.InvalidEntries.STREAM;
import static dev.nola.vectors.InvalidEntries.TENSOR;
import static dev.nola.vectors.Kinds.CORRUPT;
import static dev.nola.vectors.Kinds.GENERATOR;
import static dev.nola.vectors.Kinds.LIMIT;
import static dev.nola.vectors.SmallFiles.adapter;
import static dev.nola.vectors.SmallFiles.dimensions;
import static dev.nola.vectors.SmallFiles.indexed;
import static dev.nola.vectors.SmallFiles.manyLayers;
import static dev.nola.vectors.SmallFiles.plain;
import static dev.nola.vectors.SmallFiles.raw;
import static dev.nola.vectors.SmallFiles.shaped;
import static dev.nola.vectors.SmallFiles.sliced;
import static dev.nola.vectors.SmallFiles.withDense;

import com.google.flatbuffers.FlatBufferBuilder;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Metadata;
import dev.nola.format.flatbuffers.Digest;
import dev.nola.format.flatbuffers.Manifest;
import dev.nola.generator.Generator;
import java.util.Arrays;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The invalid conformance vectors: valid files, each damaged in one way and given a matching
 * checksum again.
 */
final class InvalidFiles {
  private final InvalidEntries files = new InvalidEntries();

  private InvalidFiles() {}

  static Map<String, InvalidEntries.Entry> all() {
    InvalidFiles invalid = new InvalidFiles();
    InvalidHeaders.addTo(invalid.files);
    invalid.manifests();
    invalid.layers();
    invalid.codes();
    invalid.dense();
    invalid.notCanonical();
    InvalidDecoding.addTo(invalid.files);
    InvalidTexts.addTo(invalid.files);
    InvalidNumbers.addTo(invalid.files);
    InvalidContent.addTo(invalid.files);
    InvalidSections.addTo(invalid.files);
    ExceededLimits.addTo(invalid.files);
    return invalid.files.all();
  }

  private void manifests() {
    add("root-outside", "root table far outside", CORRUPT, plain().u32(32, 1 << 20).checksummed());
    add("root-negative", "root table before the file", CORRUPT, plain().u32(32, -64).checksummed());
    add(
        "layers-many",
        "vector of layers with 60,000 elements",
        CORRUPT,
        plain(),
        f -> f.u32(f.follow(f.field(f.root(), LAYERS)), 60_000));
    // 256 bytes leave room for one more before the next multiple of four: the result is canonical
    // but for its length.
    RawFile file = raw(adapter(Generator.SRHT).base(new BaseModel("b".repeat(256), "", null)));
    int baseName = file.follow(file.field(file.root(), BASE_NAME));
    add(
        "name-long",
        "a base name of 257 bytes",
        LIMIT,
        file.u32(baseName, 257).set(baseName + 4 + 256, 'b').checksummed());
    add(
        "name-not-utf8",
        "a lone continuation byte",
        CORRUPT,
        plain(),
        f -> f.set(group(f, TENSOR, true) + 4, 0x80));
    add(
        "name-control-character",
        "a line feed",
        CORRUPT,
        plain(),
        f -> f.set(group(f, TENSOR, true) + 4, '\n'));
    add(
        "name-del",
        "the control character U+007F",
        CORRUPT,
        plain(),
        f -> f.set(group(f, TENSOR, true) + 4, 0x7F));
    add(
        "no-digest",
        "no reconstruction digest",
        CORRUPT,
        plain(),
        f -> f.without(f.root(), DIGEST));
    for (int id : new int[] {0, 6, 255}) {
      add(
          "generator-" + id,
          "generator id " + id,
          GENERATOR,
          plain(),
          f -> f.set(f.field(f.root(), GENERATOR_ID), id));
    }
    file = plain();
    int digest = file.field(file.root(), DIGEST);
    add(
        "digest",
        "a digest that is not that of the factors",
        "digest-mismatch",
        file.set(digest, file.bytes()[digest] ^ 1).checksummed());
    file = raw(adapter(Generator.SRHT).metadata(Metadata.NONE.withMetrics(Map.of("loss", 1.5))));
    int metadata = file.follow(file.field(file.root(), METADATA));
    int metric = file.follow(file.follow(file.field(metadata, 4)) + 4);
    add(
        "metric-nan",
        "a metric that is not a number",
        CORRUPT,
        file.u64(file.field(metric, 0), 0x7ff8L << 48).checksummed());
    add(
        "metric-minus-zero",
        "a metric of -0",
        CORRUPT,
        raw(adapter(Generator.SRHT).metadata(Metadata.NONE.withMetrics(Map.of("loss", 1.5)))),
        f -> f.u64(f.field(metric, 0), 1L << 63));
    for (char first : new char[] {'b', 'c'}) {
      file = raw(adapter(Generator.SRHT).metadata(Metadata.NONE.withTags("a", "b")));
      int tags = file.follow(file.field(file.follow(file.field(file.root(), METADATA)), 3));
      add(
          first == 'b' ? "tags-twice" : "tags-out-of-order",
          "the tags " + first + " and b",
          CORRUPT,
          file.set(file.follow(file.field(file.follow(tags + 4), 0)) + 4, first).checksummed());
    }
  }

  private void layers() {
    add("count-0", "a group of no layer", CORRUPT, plain(), f -> f.u32(group(f, COUNT), 0));
    add("count-70000", "70,000 layers", LIMIT, plain(), f -> f.u32(group(f, COUNT), 70_000));
    add(
        "count-without-index",
        "two layers, and no index in the name",
        CORRUPT,
        plain(),
        f -> f.set(group(f, TENSOR, true) + 4 + "layers.".length(), 'x'));
    add(
        "rows",
        "rows times cols is not the shape",
        CORRUPT,
        shaped(),
        f -> f.u32(group(f, ROWS), 5));
    add("rows-0", "no rows", CORRUPT, plain(), f -> f.u32(group(f, ROWS), 0));
    add(
        "rank-too-high",
        "factors of 8·(2^31 - 1) elements",
        LIMIT,
        plain(),
        f -> f.u32(group(f, RANK), Integer.MAX_VALUE));
    add(
        "k-0",
        "no coefficient on either side, and no codes",
        CORRUPT,
        plain(),
        f -> f.u32(group(f, K), 0).replaceCodes(new byte[] {0, 0, 0, 59, 0, 0, 0, 59}));
    add(
        "index-too-high",
        "a second layer with index 1,000,000,000",
        CORRUPT,
        indexed("layers.", 999_999_998, ".w"),
        f -> f.set(group(f, TENSOR, true) + 4 + "layers.99999999".length(), '9'));
    add(
        "expanded-name-long",
        "a first name of 256 bytes, and a second one of 257 because 10 follows 9",
        LIMIT,
        indexed("", 8, "." + "x".repeat(254)),
        f -> f.set(group(f, TENSOR, true) + 4, '9'));
    add("k-more", "more coefficients than codes", CORRUPT, plain(), f -> f.u32(group(f, K), 9000));
    add(
        "sums-not-exact",
        "9,000 coefficients of 16 bits for uniform24",
        CORRUPT,
        raw(adapter(Generator.RADEMACHER, Codes.of(16, new int[9000]))),
        f -> f.set(f.field(f.root(), GENERATOR_ID), 1));
    add(
        "more-coefficients-than-columns",
        "srht with 65 coefficients for 64 elements",
        CORRUPT,
        raw(adapter(Generator.RADEMACHER, Codes.of(4, new int[65]))),
        f -> f.set(f.field(f.root(), GENERATOR_ID), 4));
    for (int bits : new int[] {0, 17}) {
      add(
          "width-" + bits,
          "codes of " + bits + " bits",
          CORRUPT,
          raw(adapter(Generator.RADEMACHER, Codes.of(5, new int[8]))),
          f -> f.set(group(f, A_BITS), bits));
    }
    add(
        "slice-outside",
        "a slice that ends beyond the tensor",
        CORRUPT,
        sliced(),
        f -> f.u32(group(f, SLICE) + 4, 17));
    add(
        "slice-of-no-dimension",
        "a slice along dimension 2 of a matrix",
        CORRUPT,
        sliced(),
        f -> f.u32(group(f, SLICE), 2));
    add(
        "slices-overlap",
        "two slices with a column in common",
        CORRUPT,
        sliced(),
        f -> f.u32(group(f, SLICE) + 4, 3));
    RawFile file = sliced();
    int slice = group(file, SLICE);
    add(
        "slices-cross",
        "a row and four columns of one matrix",
        CORRUPT,
        file.u32(slice, 0).u32(slice + 4, 1).u32(slice + 8, 1).checksummed());
    add(
        "shapes-differ",
        "two slices of one tensor that is 4x17 for one and 4x16 for the other",
        CORRUPT,
        sliced(),
        f -> f.u32(group(f, SHAPE, true) + 8, 17));
    add(
        "srht-too-long",
        "srht factors of 2^30 + 8 elements",
        LIMIT,
        raw(adapter(Generator.SRHT)),
        f -> f.u32(group(f, RANK), (1 << 27) + 1));
    add(
        "elements",
        "factors of 2^39 elements",
        LIMIT,
        manyLayers(),
        f -> f.u32(group(f, RANK), 1 << 27));
    add(
        "dimensions",
        "a shape of 9 dimensions",
        LIMIT,
        dimensions(),
        f -> f.u32(group(f, SHAPE, true), 9));
  }

  private void codes() {
    int[] scales = {
      0x80000000, 0x7fc00000, 0x7f800000, 0x007fffff, 0x64800001, 0xbf800000,
    };
    String[] names = {"minus-zero", "nan", "infinite", "subnormal", "too-large", "negative"};
    for (int i = 0; i < scales.length; i++) {
      int scale = scales[i];
      add(
          "scale-" + names[i],
          "scale 0x%08x".formatted(scale),
          CORRUPT,
          plain(),
          f -> f.u32(f.codesStart(), scale));
    }
    RawFile file = raw(adapter(Generator.RADEMACHER, Codes.of(3, new int[5])));
    int last = file.codesStart() + 4 + 1;
    add(
        "unused-bit",
        "an unused bit of the last code byte is set",
        CORRUPT,
        file.set(last, file.bytes()[last] | 0x80).checksummed());
    file = plain();
    long codes = file.denseStart() - file.codesStart();
    add(
        "codes-longer",
        "a byte between codes and checksum, counted as code",
        CORRUPT,
        file.insert(file.denseStart(), (byte) 0).u64(16, codes + 1).checksummed());
  }

  private void dense() {
    add(
        "dense-dtype",
        "dtype 3",
        CORRUPT,
        withDense(),
        f -> f.set(f.field(f.element(DENSE, 0), 2), 3));
    add(
        "dense-padding",
        "padding that is not zero",
        CORRUPT,
        withDense(),
        f -> f.set(f.denseStart(), 1));
    RawFile file = withDense();
    int end = file.bytes().length - 4;
    long dense = end - file.denseStart();
    add(
        "dense-longer",
        "a byte behind the last dense tensor, counted as dense",
        CORRUPT,
        file.insert(end, (byte) 0).u64(24, dense + 1).checksummed());
    add(
        "dense-twice",
        "two dense tensors of one name",
        CORRUPT,
        withDense(),
        f -> f.set(f.follow(f.field(f.element(DENSE, 1), 0)) + 4, 'a'));
    file = withDense();
    int name = file.follow(file.field(file.element(DENSE, 1), 0)) + 4;
    add(
        "dense-and-adapted",
        "a dense tensor of the name of an adapted one",
        CORRUPT,
        file.set(name, 'w').checksummed());
  }

  private void notCanonical() {
    add(
        "manifest-longer",
        "eight unused bytes behind the manifest",
        CORRUPT,
        plain(),
        f -> f.insert(f.codesStart(), new byte[8]).u32(12, f.manifestLength() + 8));
    add(
        "stream-spelled-out",
        "a stream that is the layer's position, and yet is there",
        CORRUPT,
        raw(adapter(Generator.SRHT, 5)),
        f -> f.u32(group(f, STREAM), 0));
    add(
        "dense-out-of-order",
        "dense tensors in descending order",
        CORRUPT,
        withDense(),
        f -> f.set(f.follow(f.field(f.element(DENSE, 0), 0)) + 4, 'z'));
    add("nothing-in-it", "neither a layer nor a dense tensor", CORRUPT, empty());
  }

  /** Position of a field of the first group. */
  private static int group(RawFile file, int id) {
    return file.field(file.element(LAYERS, 0), id);
  }

  private static int group(RawFile file, int id, boolean follow) {
    return follow ? file.follow(group(file, id)) : group(file, id);
  }

  /** The canonical manifest of an adapter that has neither layers nor dense tensors. */
  private static byte[] empty() {
    FlatBufferBuilder out = new FlatBufferBuilder();
    Manifest.startManifest(out);
    Manifest.addDigest(out, Digest.createDigest(out, new int[32]));
    Manifest.addGenerator(out, Generator.SRHT.id());
    out.finish(Manifest.endManifest(out));
    byte[] manifest = out.sizedByteArray();
    RawFile file = plain();
    return new RawFile(Arrays.copyOf(file.bytes(), RawFile.HEADER))
        .u32(12, manifest.length)
        .u64(16, 0)
        .insert(RawFile.HEADER, manifest)
        .insert(RawFile.HEADER + manifest.length, new byte[4])
        .checksummed();
  }

  private void add(
      String name, String about, String kind, RawFile valid, UnaryOperator<RawFile> damage) {
    files.add(name, about, kind, valid, damage);
  }

  private void add(String name, String about, String kind, byte[] bytes) {
    files.add(name, about, kind, bytes);
  }
}
