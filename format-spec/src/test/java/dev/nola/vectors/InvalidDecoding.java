package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.BASE_NAME;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.DIGEST;
import static dev.nola.vectors.InvalidEntries.GENERATOR_ID;
import static dev.nola.vectors.InvalidEntries.K;
import static dev.nola.vectors.InvalidEntries.LAYERS;
import static dev.nola.vectors.InvalidEntries.METADATA;
import static dev.nola.vectors.InvalidEntries.ROWS;
import static dev.nola.vectors.InvalidEntries.SHAPE;
import static dev.nola.vectors.InvalidEntries.SLICE;
import static dev.nola.vectors.InvalidEntries.TENSOR;
import static dev.nola.vectors.InvalidEntries.entry;
import static dev.nola.vectors.InvalidEntries.group;
import static dev.nola.vectors.InvalidEntries.groupTarget;
import static dev.nola.vectors.InvalidEntries.metadata;

import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Manifests that cannot be decoded (rule 9 of SPEC.md section 11). */
final class InvalidDecoding {
  private final InvalidEntries files;

  private InvalidDecoding(InvalidEntries files) {
    this.files = files;
  }

  static void addTo(InvalidEntries files) {
    InvalidDecoding decoding = new InvalidDecoding(files);
    decoding.absentFields();
    decoding.outside();
    decoding.malformedTexts();
    decoding.sharedParts();
  }

  private void absentFields() {
    absent("tensor", f -> f.element(LAYERS, 0), TENSOR);
    absent("rows", f -> f.element(LAYERS, 0), ROWS);
    absent("k", f -> f.element(LAYERS, 0), K);
    absent("dense-name", f -> f.element(DENSE, 0), 0);
    absent("tag", f -> entry(f, 3, 0), 0);
    absent("metric-name", f -> entry(f, 4, 0), 1);
    absent("key", f -> entry(f, 5, 0), 0);
    absent("digest", RawFile::root, DIGEST);
    // The patch of the generator would not find it.
    files.damaged(
        "absent-generator",
        "no generator",
        Kinds.CORRUPT,
        InvalidEntries::smallest,
        f -> f.without(f.root(), GENERATOR_ID));
  }

  private void absent(String name, ToIntFunction<RawFile> table, int id) {
    files.undecodable(
        "absent-" + name,
        "no " + name.replace('-', ' '),
        InvalidDecoding::everything,
        f -> f.without(table.applyAsInt(f), id));
  }

  private void outside() {
    outside("root-at-the-end", "root table at the manifest's end", f -> RawFile.HEADER, -1);
    outside("string-outside", "a string outside", f -> group(f, 0, TENSOR), 1 << 20);
    outside("vector-outside", "a vector outside", f -> f.field(f.root(), LAYERS), 1 << 20);
    outside("table-outside", "a table outside", f -> f.field(f.root(), METADATA), 1 << 20);
    outside("element-outside", "a group outside", f -> vector(f) + 4, 1 << 20);
    outside("element-before", "a group before the manifest", f -> vector(f) + 4, -8192);
    outside("vtable-outside", "a vtable before the manifest", f -> f.element(LAYERS, 0), 8192);
    outside("vtable-after", "a vtable after the manifest", f -> f.element(LAYERS, 0), -8192);
    outside("string-long", "a string that ends outside", f -> groupTarget(f, 0, TENSOR), 8192);
    outside("string-huge", "a string of 2^32 - 1 bytes", f -> groupTarget(f, 0, TENSOR), -1);
    outside("vector-long", "a shape that ends outside", f -> groupTarget(f, 0, SHAPE), 8192);
    outside("vector-huge", "2^32 - 1 groups", InvalidDecoding::vector, -1);
    field("number-outside", "rows outside", f -> f.vtableEntry(f.element(LAYERS, 0), ROWS));
    field(
        "slice-field-outside", "a slice outside", f -> f.vtableEntry(f.element(LAYERS, 0), SLICE));
    field("digest-outside", "a digest outside", f -> f.vtableEntry(f.root(), DIGEST));
    field("offset-outside", "an offset outside", f -> f.vtableEntry(f.root(), BASE_NAME));
    files.undecodable(
        "vtable-short",
        "a vtable of two bytes",
        InvalidDecoding::everything,
        f -> {
          int group = f.element(LAYERS, 0);
          int vtable = group - f.u32(group);
          return f.set(vtable, 2).set(vtable + 1, 0);
        });
    files.undecodable(
        "vtable-short-of-metadata",
        "a vtable of three bytes, of a table whose fields may all be absent",
        InvalidDecoding::everything,
        f -> f.set(metadata(f) - f.u32(metadata(f)), 3));
    files.undecodable(
        "string-without-its-end",
        "a string that ends with the manifest, without room for the zero byte",
        InvalidDecoding::everything,
        f -> {
          int string = groupTarget(f, 0, TENSOR);
          return f.u32(string, f.codesStart() - string - 4);
        });
  }

  private static int vector(RawFile file) {
    return file.follow(file.field(file.root(), LAYERS));
  }

  private void outside(String name, String about, ToIntFunction<RawFile> position, int value) {
    files.undecodable(
        name,
        about,
        InvalidDecoding::everything,
        f -> f.u32(position.applyAsInt(f), value == -1 ? length(f, name) : value));
  }

  private static int length(RawFile file, String name) {
    return name.startsWith("root") ? file.manifestLength() : -1;
  }

  private void field(String name, String about, ToIntFunction<RawFile> vtableEntry) {
    files.undecodable(
        name,
        about,
        InvalidDecoding::everything,
        f -> f.set(vtableEntry.applyAsInt(f), 0xF0).set(vtableEntry.applyAsInt(f) + 1, 0xFF));
  }

  private void malformedTexts() {
    malformed("overlong", "a slash in two bytes", 0xC0, 0xAF);
    malformed("surrogate", "a surrogate in three bytes", 0xED, 0xA0, 0x80);
    malformed("cut", "the first two bytes of three", 0xE2, 0x82);
    malformed("beyond-unicode", "U+110000", 0xF4, 0x90, 0x80, 0x80);
  }

  private void malformed(String name, String about, int... bytes) {
    files.undecodable(
        "utf8-" + name,
        "malformed text: " + about,
        builder ->
            InvalidEntries.smallest(builder)
                .base(new BaseModel("x".repeat(bytes.length), "", null)),
        f -> {
          int start = f.follow(f.field(f.root(), BASE_NAME)) + 4;
          for (int i = 0; i < bytes.length; i++) {
            f.set(start + i, bytes[i]);
          }
          return f;
        });
  }

  /** Small files that would be large if what is shared in them were copied. */
  private void sharedParts() {
    String[] tags = IntStream.range(10, 50).mapToObj(Integer::toString).toArray(String[]::new);
    files.undecodable(
        "shared-string",
        "40 tags that all lead to one string of 300 bytes",
        builder ->
            InvalidEntries.smallest(builder)
                .metadata(Metadata.of("x".repeat(300), "", "").withTags(tags)),
        f -> {
          int string = f.follow(f.field(metadata(f), 0));
          for (int i = 0; i < tags.length; i++) {
            int name = f.field(entry(f, 3, i), 0);
            f.u32(name, string - name);
          }
          return f;
        });
    files.undecodable(
        "shared-table",
        "60 groups that are all the same",
        builder -> {
          for (int i = 0; i < 60; i++) {
            builder.layer(InvalidEntries.direct(i % 2 + "w" + i, 1, 1));
          }
          return builder.layer(InvalidEntries.direct("z".repeat(200), 1, 1));
        },
        f -> {
          int last = f.element(LAYERS, 60);
          for (int i = 0; i < 60; i++) {
            int element = vector(f) + 4 + 4 * i;
            f.u32(element, last - element);
          }
          return f;
        });
  }

  /** A layer with shape and slice, a dense tensor, and every text. */
  static Adapter.Builder everything(Adapter.Builder builder) {
    return builder
        .layer(
            new Layer(
                "w", List.of(2, 1, 2), new Slice(0, 1, 1), 1, 2, 0, 1, new Direct(Codes.of(4, 9))))
        .dense(new DenseTensor("d", DType.F16, List.of(1), MemorySegment.ofArray(new byte[2])))
        .base(new BaseModel("n", "r", null))
        .metadata(
            Metadata.of("e", "k", "l")
                .withTags("t")
                .withMetrics(Map.of("m", 1.0))
                .withProvenance(Map.of("p", "v")));
  }
}
