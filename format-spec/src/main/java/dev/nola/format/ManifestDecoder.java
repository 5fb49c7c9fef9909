package dev.nola.format;

import dev.nola.digest.Sha256;
import dev.nola.format.flatbuffers.Digest;
import dev.nola.format.flatbuffers.LayerGroup;
import dev.nola.format.flatbuffers.Manifest;
import dev.nola.format.flatbuffers.Metric;
import dev.nola.format.flatbuffers.Property;
import dev.nola.format.flatbuffers.Tag;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reads a manifest without trusting it. FlatBuffers for Java has no verifier: offsets may point
 * anywhere and lengths may be anything. So everything read is charged against the manifest's own
 * size: a canonical manifest shares nothing, and one that refers to more bytes than it has is
 * refused before the bytes are copied. Any other defect shows when the content is encoded again
 * (see {@link AdapterFileReader}).
 */
final class ManifestDecoder {
  /** Bytes that every element of a vector takes at least. */
  private static final int ELEMENT_BYTES = 4;

  private final ByteBuffer manifest;
  private long unread;

  private ManifestDecoder(byte[] manifest) {
    this.manifest = ByteBuffer.wrap(manifest);
    this.unread = manifest.length;
  }

  /**
   * A group of layers. Its thirteen components are the fields of {@code LayerGroup} in nola.fbs,
   * with defaults filled in (SPEC.md section 4.3).
   *
   * @param tensor name of the first layer's tensor
   * @param count number of layers
   * @param shape stored shape of each tensor
   * @param slice the adapted part, or null for the whole tensor
   * @param rows R
   * @param cols C
   * @param rank r, 0 in the direct form
   * @param k coefficients of side A
   * @param l coefficients of side B, 0 in the direct form
   * @param aBits width of a code of side A
   * @param bBits width of a code of side B, 0 in the direct form
   * @param stream stream number of the first layer
   * @param streamStep added to the stream from one layer to the next
   */
  record Group(
      String tensor,
      int count,
      List<Integer> shape,
      @Nullable Slice slice,
      int rows,
      int cols,
      int rank,
      int k,
      int l,
      int aBits,
      int bBits,
      int stream,
      int streamStep) {
    boolean isDirect() {
      return rank == 0;
    }
  }

  /** A dense tensor without its data. */
  record Dense(String name, int dtype, List<Integer> shape) {}

  /**
   * A manifest that is readable, and not checked otherwise. Its seven components are the fields of
   * {@code Manifest} in nola.fbs.
   *
   * @param seed of the generator
   * @param generator number of the generator
   * @param groups of layers, in file order
   * @param dense tensors stored in full, in file order
   * @param base the base model
   * @param metadata text and numbers for people
   * @param digest reconstruction digest
   */
  record Content(
      long seed,
      int generator,
      List<Group> groups,
      List<Dense> dense,
      BaseModel base,
      Metadata metadata,
      Sha256 digest) {}

  /**
   * Decodes a manifest.
   *
   * @throws IndexOutOfBoundsException if an offset leads out of the manifest
   * @throws IllegalArgumentException if a length leads out of the manifest, a text is not UTF-8 or
   *     a value is illegal by itself
   */
  static Content decode(byte[] manifest) {
    return new ManifestDecoder(manifest).content();
  }

  private Content content() {
    Manifest root = Manifest.getRootAsManifest(manifest);
    List<Group> groups = new ArrayList<>(vector("layers", root.layersLength()));
    LayerGroup group = new LayerGroup();
    int position = 0;
    for (int i = 0; i < root.layersLength(); i++) {
      Group decoded = group(root.layers(group, i), position);
      position += decoded.count();
      groups.add(decoded);
    }
    int denseCount = vector("dense tensors", root.denseLength());
    if (denseCount > Limits.DENSE_TENSORS) {
      throw new LimitExcess(
          "too many dense tensors: %d; limit is %d".formatted(denseCount, Limits.DENSE_TENSORS));
    }
    List<Dense> dense = new ArrayList<>(denseCount);
    var tensor = new dev.nola.format.flatbuffers.DenseTensor();
    for (int i = 0; i < denseCount; i++) {
      root.dense(tensor, i);
      String name = name("dense tensor name", tensor.nameAsByteBuffer());
      dense.add(new Dense(name, tensor.dtype(), shape(tensor.shapeLength(), tensor::shape)));
    }
    Sha256 digest = digest(root.digest());
    if (digest == null) {
      throw new IllegalArgumentException(
          "reconstruction digest missing from the manifest; every file must have one");
    }
    BaseModel base =
        new BaseModel(
            name("base model name", root.baseNameAsByteBuffer()),
            name("base model revision", root.baseRevisionAsByteBuffer()),
            digest(root.baseIdentity()));
    return new Content(
        root.seed(), root.generator(), groups, dense, base, metadata(root.metadata()), digest);
  }

  private Group group(LayerGroup group, int position) {
    String tensor = name("tensor name", group.tensorAsByteBuffer());
    int rows = number("rows", group.rows());
    int cols = group.hasCols() ? number("cols", group.cols()) : rows;
    int rank = number("rank", group.rank());
    int k = number("k", group.k());
    int count = number("count", group.count());
    if (count < 1) {
      throw new IllegalArgumentException(
          "invalid count of group " + tensor + ": 0; must be at least 1");
    }
    if ((long) position + count > Limits.LAYERS) {
      throw new LimitExcess(
          "too many layers: %d or more; limit is %d"
              .formatted((long) position + count, Limits.LAYERS));
    }
    IndexedName name = IndexedName.of(tensor);
    if (count > 1 && (name.index() < 0 || name.index() > IndexedName.MAX_INDEX - (count - 1))) {
      throw new IllegalArgumentException(
          "invalid name of group %s: no index to count up to %d; must contain an index of at most nine digits"
              .formatted(tensor, count));
    }
    var slice = group.slice();
    return new Group(
        tensor,
        count,
        group.shapeLength() == 0 ? List.of(rows, cols) : shape(group.shapeLength(), group::shape),
        slice == null
            ? null
            : new Slice(
                number("slice dim", slice.dim()),
                number("slice start", slice.start()),
                number("slice length", slice.length())),
        rows,
        cols,
        rank,
        k,
        rank == 0 ? 0 : group.hasL() ? number("l", group.l()) : k,
        group.aBits(),
        rank == 0 ? 0 : group.hasBBits() ? group.bBits() : group.aBits(),
        group.hasStream() ? (int) group.stream() : position,
        (int) group.streamStep());
  }

  private Metadata metadata(dev.nola.format.flatbuffers.@Nullable Metadata metadata) {
    if (metadata == null) {
      return Metadata.NONE;
    }
    TreeSet<String> tags = new TreeSet<>();
    int tagCount = entries("tags", metadata.tagsLength());
    Tag tag = new Tag();
    for (int i = 0; i < tagCount; i++) {
      tags.add(name("tag", metadata.tags(tag, i).nameAsByteBuffer()));
    }
    TreeMap<String, Double> metrics = new TreeMap<>();
    int metricCount = entries("metrics", metadata.metricsLength());
    Metric metric = new Metric();
    for (int i = 0; i < metricCount; i++) {
      metadata.metrics(metric, i);
      metrics.put(name("metric name", metric.nameAsByteBuffer()), metric.value());
    }
    TreeMap<String, String> provenance = new TreeMap<>();
    int propertyCount = entries("provenance entries", metadata.provenanceLength());
    Property property = new Property();
    for (int i = 0; i < propertyCount; i++) {
      metadata.provenance(property, i);
      provenance.put(
          name("provenance key", property.keyAsByteBuffer()),
          text("provenance value", property.valueAsByteBuffer(), Limits.TEXT_BYTES));
    }
    return new Metadata(
        text("description", metadata.descriptionAsByteBuffer(), Limits.TEXT_BYTES),
        text("task", metadata.taskAsByteBuffer(), Limits.TEXT_BYTES),
        text("license", metadata.licenseAsByteBuffer(), Limits.TEXT_BYTES),
        tags,
        metrics,
        provenance);
  }

  private List<Integer> shape(int length, IntToLongFunction dims) {
    if (vector("shape", length) > Limits.DIMENSIONS) {
      throw new LimitExcess(
          "too many dimensions of a shape: %d; limit is %d".formatted(length, Limits.DIMENSIONS));
    }
    List<Integer> shape = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      shape.add(number("dimension", dims.applyAsLong(i)));
    }
    return shape;
  }

  private @Nullable Sha256 digest(@Nullable Digest digest) {
    if (digest == null) {
      return null;
    }
    charge("digest", Sha256.BYTES);
    byte[] bytes = new byte[Sha256.BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) digest.bytes(i);
    }
    return Sha256.ofBytes(bytes);
  }

  private String name(String what, @Nullable ByteBuffer utf8) {
    return text(what, utf8, Limits.NAME_BYTES);
  }

  private String text(String what, @Nullable ByteBuffer utf8, int limit) {
    if (utf8 == null) {
      return "";
    }
    if (utf8.remaining() > limit) {
      throw new LimitExcess(
          "%s too long: %d bytes of UTF-8; limit is %d".formatted(what, utf8.remaining(), limit));
    }
    charge(what, utf8.remaining());
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(what + " is not valid UTF-8", e);
    }
  }

  private int entries(String what, int count) {
    if (count > Limits.METADATA_ENTRIES) {
      throw new LimitExcess(
          "too many %s in metadata: %d; limit is %d"
              .formatted(what, count, Limits.METADATA_ENTRIES));
    }
    return vector(what, count);
  }

  private int vector(String what, int length) {
    if (length < 0) {
      throw new IllegalArgumentException(
          "invalid length of vector " + what + ": " + length + "; must be at least 0");
    }
    charge(what, (long) ELEMENT_BYTES * length);
    return length;
  }

  private void charge(String what, long bytes) {
    unread -= bytes;
    if (unread < 0) {
      throw new IllegalArgumentException("manifest refers to bytes beyond its end, at " + what);
    }
  }

  private static int number(String what, long unsigned) {
    if (unsigned > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "invalid " + what + ": " + unsigned + "; must be at most 2^31-1");
    }
    return (int) unsigned;
  }
}
