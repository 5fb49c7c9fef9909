package dev.nola.vectors;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.Unchecked;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Collects the invalid vectors, which themed classes add. */
final class InvalidEntries {
  // Field ids of nola.fbs.
  static final int LAYERS = 1;
  static final int DENSE = 2;
  static final int BASE_NAME = 3;
  static final int BASE_REVISION = 4;
  static final int METADATA = 5;
  static final int GENERATOR_ID = 6;
  static final int DIGEST = 7;
  static final int TENSOR = 0;
  static final int ROWS = 1;
  static final int RANK = 2;
  static final int K = 3;
  static final int COUNT = 4;
  static final int COLS = 5;
  static final int L = 6;
  static final int STREAM = 7;
  static final int SHAPE = 9;
  static final int SLICE = 10;
  static final int A_BITS = 11;
  static final int B_BITS = 12;

  /** Factors of more elements than this are not computed for a digest that nothing reads. */
  private static final long COMPUTED_ELEMENTS = 1 << 16;

  /** One file to be, and the kind of its rejection as SPEC.md section 11 names it. */
  record Entry(String about, String kind, byte[] bytes) {}

  private final Map<String, Entry> files = new LinkedHashMap<>();

  Map<String, Entry> all() {
    return files;
  }

  void add(String name, String about, String kind, RawFile valid, UnaryOperator<RawFile> damage) {
    add(name, about, kind, damage.apply(valid).checksummed());
  }

  void add(String name, String about, String kind, byte[] bytes) {
    if (files.put(name, new Entry(about, kind, bytes)) != null) {
      throw new AssertionError("two invalid vectors are named " + name);
    }
  }

  /** Adds a canonical file of illegal content. */
  void content(String name, String about, String kind, UnaryOperator<Adapter.Builder> content) {
    add(name, about, kind, file(content).checksummed());
  }

  /** Adds a file of a content, damaged. */
  void damaged(
      String name,
      String about,
      String kind,
      UnaryOperator<Adapter.Builder> content,
      UnaryOperator<RawFile> damage) {
    add(name, about, kind, file(content), damage);
  }

  /**
   * Adds a file of corrupt content and a second one with a factor that is too long as well, which
   * rule 15 refuses for another kind: only the order of the rules tells what it is.
   */
  void corrupt(
      String name,
      String about,
      UnaryOperator<Adapter.Builder> content,
      UnaryOperator<RawFile> damage) {
    damaged(name, about, Kinds.CORRUPT, content, damage);
    damaged(
        name + "-and-too-long",
        about + ", and a factor that is too long",
        Kinds.CORRUPT,
        builder -> tooLong(content.apply(builder)),
        damage);
  }

  /**
   * Adds a file that cannot be decoded and a second one with an unknown generator as well, which
   * rule 11 refuses for another kind.
   */
  void undecodable(
      String name,
      String about,
      UnaryOperator<Adapter.Builder> content,
      UnaryOperator<RawFile> damage) {
    damaged(name, about, Kinds.CORRUPT, content, damage);
    damaged(
        name + "-and-unknown-generator",
        about + ", and generator 255",
        Kinds.CORRUPT,
        content,
        f -> damage.apply(f.set(f.field(f.root(), GENERATOR_ID), 255)));
  }

  /** The smallest content: ±1 along one element. */
  static Adapter.Builder smallest(Adapter.Builder builder) {
    return builder.layer(direct("w", 1, 1));
  }

  static Layer direct(String tensor, int rows, int cols) {
    return Layer.ofMatrix(tensor, rows, cols, 0, 1, new Direct(Codes.of(4, 9)));
  }

  private static Adapter.Builder tooLong(Adapter.Builder builder) {
    return builder.layer(direct("~", 2, 1 << 30));
  }

  /** Returns the file of a content that may be illegal; generator 3 unless the content sets one. */
  static RawFile file(UnaryOperator<Adapter.Builder> content) {
    return Unchecked.get(
        () -> {
          Adapter adapter =
              content.apply(Adapter.builder().generator(Generator.RADEMACHER)).build();
          return new RawFile(new AdapterFile(adapter, digest(adapter)).toBytes());
        });
  }

  private static Sha256 digest(Adapter adapter) {
    for (Layer layer : adapter.layers()) {
      if (factorElements(layer) > COMPUTED_ELEMENTS) {
        return Sha256.ofBytes(new byte[Sha256.BYTES]);
      }
    }
    try {
      return Reconstructor.standard().withKernel(Kernels.scalar()).digest(adapter).root();
    } catch (LimitExceededException | RuntimeException e) {
      return Sha256.ofBytes(new byte[Sha256.BYTES]); // this content has no factors
    }
  }

  private static long factorElements(Layer layer) {
    return layer.coefficients() instanceof LowRank(int rank, Codes _, Codes _)
        ? (long) rank * ((long) layer.rows() + layer.cols())
        : layer.elements();
  }

  /** Returns the position of a field of group i. */
  static int group(RawFile file, int i, int id) {
    return file.field(file.element(LAYERS, i), id);
  }

  /** Returns the position of the string or vector that a field of group i leads to. */
  static int groupTarget(RawFile file, int i, int id) {
    return file.follow(group(file, i, id));
  }

  /** Returns the position of the table Metadata. */
  static int metadata(RawFile file) {
    return file.follow(file.field(file.root(), METADATA));
  }

  /** Returns the position of element i of a list of the metadata. */
  static int entry(RawFile file, int list, int i) {
    return file.follow(file.follow(file.field(metadata(file), list)) + 4 + 4 * i);
  }
}
