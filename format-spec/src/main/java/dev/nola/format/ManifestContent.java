package dev.nola.format;

import dev.nola.digest.Sha256;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a manifest says, decoded and not checked otherwise: numbers are as large as their fields
 * allow, lists in the file's order. Its seven components are the fields of {@code Manifest} in
 * nola.fbs. A list that is longer than its limit has one element too many, and lacks the others.
 *
 * @param seed of the generator
 * @param generator number of the generator
 * @param groups of layers, in file order
 * @param dense tensors stored in full, in file order
 * @param base the base model
 * @param metadata text and numbers for people
 * @param digest reconstruction digest
 */
record ManifestContent(
    long seed,
    int generator,
    List<Group> groups,
    List<Dense> dense,
    Base base,
    Texts metadata,
    Sha256 digest) {
  /**
   * A group of layers. Its components are the fields of {@code LayerGroup} in nola.fbs, with
   * defaults filled in (SPEC.md section 4.1); numbers are unsigned.
   *
   * @param tensor name of the first layer's tensor
   * @param count number of layers
   * @param shape stored shape of each tensor
   * @param slice the adapted part, or null for the whole tensor
   * @param rows R
   * @param cols C
   * @param direct whether the rank is absent
   * @param rank r, 0 in the direct form
   * @param alpha number and width of the codes of side A
   * @param beta number and width of the codes of side B; of no meaning in the direct form
   * @param stream stream number of the first layer
   * @param streamStep added to the stream from one layer to the next
   */
  record Group(
      String tensor,
      long count,
      List<Long> shape,
      @Nullable Range slice,
      long rows,
      long cols,
      boolean direct,
      long rank,
      CodesHead alpha,
      CodesHead beta,
      int stream,
      int streamStep) {
    /** Returns the bytes that each layer has in the codes section. */
    long codesBytes() {
      return Float.BYTES + alpha.bytes() + (direct ? 0 : beta.bytes());
    }
  }

  /** The fields of a slice. */
  record Range(long dim, long start, long length) {}

  /** The codes of one side. */
  record CodesHead(long count, int bits) {
    long bytes() {
      return Codes.packedLength(bits, count);
    }
  }

  /** A dense tensor without its data. */
  record Dense(String name, int dtype, List<Long> shape) {}

  /** The base model. */
  record Base(String name, String revision, @Nullable Sha256 identity) {}

  /** A metric; its value may be any f64. */
  record MetricEntry(String name, double value) {}

  /** An entry of the provenance. */
  record PropertyEntry(String key, String value) {}

  /** The metadata, its lists as they are in the file. */
  record Texts(
      String description,
      String task,
      String license,
      List<String> tags,
      List<MetricEntry> metrics,
      List<PropertyEntry> provenance) {
    static final Texts NONE = new Texts("", "", "", List.of(), List.of(), List.of());
  }
}
