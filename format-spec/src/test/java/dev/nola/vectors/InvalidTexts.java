package dev.nola.vectors;

import static dev.nola.vectors.InvalidEntries.BASE_NAME;
import static dev.nola.vectors.InvalidEntries.BASE_REVISION;
import static dev.nola.vectors.InvalidEntries.DENSE;
import static dev.nola.vectors.InvalidEntries.LAYERS;
import static dev.nola.vectors.InvalidEntries.TENSOR;
import static dev.nola.vectors.InvalidEntries.entry;
import static dev.nola.vectors.InvalidEntries.metadata;

import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Metadata;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.ToIntFunction;

/** Texts that are empty, too long or have control characters; lists in the wrong order. */
final class InvalidTexts {
  private static final int[] CONTROL_CHARACTERS = {0x00, 0x09, 0x1F, 0x7F};

  private final InvalidEntries files;

  private InvalidTexts(InvalidEntries files) {
    this.files = files;
  }

  /**
   * A field that holds a text.
   *
   * @param name of the field, for the file
   * @param content returns a content that has a text there
   * @param position finds the text in a file
   * @param mayBeEmpty whether the field may be absent
   */
  record Field(
      String name,
      BiFunction<Adapter.Builder, String, Adapter.Builder> content,
      ToIntFunction<RawFile> position,
      boolean mayBeEmpty) {}

  /** Every field that holds a name. */
  static final List<Field> NAMES =
      List.of(
          new Field(
              "tensor",
              (builder, text) -> builder.layer(InvalidEntries.direct(text, 1, 1)),
              f -> f.follow(f.field(f.element(LAYERS, 0), TENSOR)),
              false),
          new Field(
              "dense",
              (builder, text) -> builder.dense(dense(text)),
              f -> f.follow(f.field(f.element(DENSE, 0), 0)),
              false),
          new Field(
              "base-name",
              (builder, text) -> small(builder).base(new BaseModel(text, "", null)),
              f -> f.follow(f.field(f.root(), BASE_NAME)),
              true),
          new Field(
              "base-revision",
              (builder, text) -> small(builder).base(new BaseModel("", text, null)),
              f -> f.follow(f.field(f.root(), BASE_REVISION)),
              true),
          new Field(
              "tag",
              (builder, text) -> small(builder).metadata(Metadata.NONE.withTags(text)),
              f -> f.follow(f.field(entry(f, 3, 0), 0)),
              false),
          new Field(
              "metric",
              (builder, text) ->
                  small(builder).metadata(Metadata.NONE.withMetrics(Map.of(text, 1.0))),
              f -> f.follow(f.field(entry(f, 4, 0), 1)),
              false),
          new Field(
              "key",
              (builder, text) ->
                  small(builder).metadata(Metadata.NONE.withProvenance(Map.of(text, "v"))),
              f -> f.follow(f.field(entry(f, 5, 0), 0)),
              false));

  /** Every field that holds a free text. */
  static final List<Field> TEXTS =
      List.of(
          new Field(
              "description",
              (builder, text) -> small(builder).metadata(Metadata.of(text, "", "")),
              f -> f.follow(f.field(metadata(f), 0)),
              true),
          new Field(
              "task",
              (builder, text) -> small(builder).metadata(Metadata.of("", text, "")),
              f -> f.follow(f.field(metadata(f), 1)),
              true),
          new Field(
              "license",
              (builder, text) -> small(builder).metadata(Metadata.of("", "", text)),
              f -> f.follow(f.field(metadata(f), 2)),
              true),
          new Field(
              "value",
              (builder, text) ->
                  small(builder).metadata(Metadata.NONE.withProvenance(Map.of("k", text))),
              f -> f.follow(f.field(entry(f, 5, 0), 1)),
              true));

  static void addTo(InvalidEntries files) {
    InvalidTexts texts = new InvalidTexts(files);
    NAMES.forEach(texts::name);
    for (Field text : TEXTS) {
      texts.tooLong(text, 65_537);
    }
    texts.lists();
    texts.metrics();
  }

  private void name(Field field) {
    for (int control : CONTROL_CHARACTERS) {
      files.content(
          "%s-with-%02x".formatted(field.name(), control),
          "%s with the control character U+%04X".formatted(field.name(), control),
          Kinds.CORRUPT,
          builder -> field.content().apply(builder, "a" + (char) control));
    }
    if (!field.mayBeEmpty()) {
      files.corrupt(
          field.name() + "-empty",
          field.name() + " without a character",
          builder -> field.content().apply(builder, "a"),
          f -> f.u32(field.position().applyAsInt(f), 0).set(field.position().applyAsInt(f) + 4, 0));
    }
    tooLong(field, 257);
    files.damaged(
        field.name() + "-257-and-unknown-generator",
        field.name() + " of 257 bytes, and generator 255",
        Kinds.LIMIT,
        builder -> field.content().apply(builder, "x".repeat(257)),
        f -> f.set(f.field(f.root(), InvalidEntries.GENERATOR_ID), 255));
  }

  private void tooLong(Field field, int bytes) {
    files.content(
        field.name() + "-" + bytes,
        "%s of %,d bytes".formatted(field.name(), bytes),
        Kinds.LIMIT,
        builder -> field.content().apply(builder, "é".repeat(bytes / 2) + "x"));
  }

  private void lists() {
    list("tags", Metadata.NONE.withTags("a", "b"), f -> f.follow(f.field(entry(f, 3, 0), 0)));
    list(
        "metrics",
        Metadata.NONE.withMetrics(Map.of("a", 1.0, "b", 1.0)),
        f -> f.follow(f.field(entry(f, 4, 0), 1)));
    list(
        "provenance",
        Metadata.NONE.withProvenance(Map.of("a", "v", "b", "v")),
        f -> f.follow(f.field(entry(f, 5, 0), 0)));
    for (char first : new char[] {'b', 'c'}) {
      files.corrupt(
          first == 'b' ? "dense-names-twice" : "dense-names-not-ascending",
          "dense tensors " + first + " and b",
          builder -> builder.dense(dense("a")).dense(dense("b")),
          f -> f.set(f.follow(f.field(f.element(DENSE, 0), 0)) + 4, first));
    }
    // As unsigned bytes U+FF5A is before U+1F600; as UTF-16 it is after it.
    files.corrupt(
        "tags-in-utf16-order",
        "tags in the order of UTF-16 instead of UTF-8",
        builder -> small(builder).metadata(Metadata.NONE.withTags("\uFF5A~", "\uD83D\uDE00")),
        f -> {
          int tags = f.follow(f.field(metadata(f), 3));
          int first = f.follow(tags + 4);
          int second = f.follow(tags + 8);
          return f.u32(tags + 4, second - tags - 4).u32(tags + 8, first - tags - 8);
        });
  }

  private void list(String name, Metadata metadata, ToIntFunction<RawFile> first) {
    for (char character : new char[] {'b', 'c'}) {
      files.corrupt(
          name + (character == 'b' ? "-double" : "-not-ascending"),
          name + " " + character + " and b",
          builder -> small(builder).metadata(metadata),
          f -> f.set(first.applyAsInt(f) + 4, character));
    }
  }

  private void metrics() {
    long[] values = {0x7ff0L << 48, 0xfff0L << 48, 0xfff8L << 48, 1L << 63};
    String[] names = {"infinite", "negative-infinite", "negative-nan", "zero-with-a-sign"};
    for (int i = 0; i < values.length; i++) {
      long value = values[i];
      files.corrupt(
          "metric-" + names[i],
          "a metric of bits %016x".formatted(value),
          builder -> small(builder).metadata(Metadata.NONE.withMetrics(Map.of("m", 1.0))),
          f -> f.u64(f.field(entry(f, 4, 0), 0), value));
    }
  }

  private static Adapter.Builder small(Adapter.Builder builder) {
    return InvalidEntries.smallest(builder);
  }

  static DenseTensor dense(String name) {
    return new DenseTensor(name, DType.F16, List.of(1), MemorySegment.ofArray(new byte[2]));
  }
}
