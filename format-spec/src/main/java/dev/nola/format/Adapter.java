package dev.nola.format;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The content of an adapter file: immutable, legal by every rule of SPEC.md, and in canonical order
 * in whatever order it was built, so that equal content gives equal bytes.
 */
public final class Adapter {
  private static final Comparator<Keyed> FILE_ORDER =
      Comparator.comparing(Keyed::name, IndexedName.BY_PATTERN)
          .thenComparing(
              k -> k.layer.slice(),
              Comparator.nullsFirst(
                  Comparator.comparingInt(Slice::dim)
                      .thenComparingInt(Slice::start)
                      .thenComparingInt(Slice::length)))
          .thenComparingInt(k -> k.name.index());

  private final Generator generator;
  private final long seed;
  private final List<Layer> layers;
  private final List<DenseTensor> dense;
  private final BaseModel base;
  private final Metadata metadata;

  private Adapter(Builder builder) {
    if (builder.generator == null) {
      throw new IllegalArgumentException("generator missing; set one");
    }
    this.generator = builder.generator;
    this.seed = builder.seed;
    if (generator == Generator.IDENTITY && seed != 0) {
      throw new IllegalArgumentException(
          "invalid seed: 0x%016x; must be 0 with generator %s, which draws nothing"
              .formatted(seed, generator));
    }
    requireCount("layers", builder.layers.size(), Limits.LAYERS);
    requireCount("dense tensors", builder.dense.size(), Limits.DENSE_TENSORS);
    if (builder.layers.isEmpty() && builder.dense.isEmpty()) {
      throw new IllegalArgumentException(
          "empty adapter; must have at least one layer or dense tensor");
    }
    this.layers =
        builder.layers.stream()
            .map(layer -> new Keyed(IndexedName.of(layer.tensor()), layer))
            .sorted(FILE_ORDER)
            .map(Keyed::layer)
            .toList();
    this.dense =
        builder.dense.stream()
            .sorted(Comparator.comparing(DenseTensor::name, CodePointOrder::compare))
            .toList();
    this.base = builder.base;
    this.metadata = builder.metadata;
    requireLegalFactors();
    requireDisjoint();
  }

  /**
   * Starts an adapter; only the generator has no default.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns the generator of all bases.
   *
   * @return the generator
   */
  public Generator generator() {
    return generator;
  }

  /**
   * Returns the seed of all bases.
   *
   * @return an unsigned 64-bit integer
   */
  public long seed() {
    return seed;
  }

  /**
   * Returns the layers.
   *
   * @return an unmodifiable list in file order (SPEC.md section 4.3)
   */
  public List<Layer> layers() {
    return layers;
  }

  /**
   * Returns the dense tensors.
   *
   * @return an unmodifiable list in file order: ascending by name
   */
  public List<DenseTensor> dense() {
    return dense;
  }

  /**
   * Returns the base model.
   *
   * @return the model that this adapter is for
   */
  public BaseModel base() {
    return base;
  }

  /**
   * Returns the metadata, which reconstruction does not use.
   *
   * @return descriptions for people and catalogs
   */
  public Metadata metadata() {
    return metadata;
  }

  private void requireLegalFactors() {
    long factorElements = 0;
    long basisElements = 0;
    for (Layer layer : layers) {
      if (generator == Generator.IDENTITY && layer.stream() != 0) {
        throw new IllegalArgumentException(
            "invalid stream number of tensor %s: %s; must be 0 with generator %s, which draws nothing"
                .formatted(layer.tensor(), Integer.toUnsignedString(layer.stream()), generator));
      }
      for (Side side : Side.values()) {
        Basis basis = layer.basis(generator, seed, side);
        Codes codes = layer.codes(side);
        if (basis == null || codes == null) {
          continue;
        }
        long maximum = generator.maxCoefficients(basis.length(), codes.bits());
        if (codes.count() > maximum) {
          throw new IllegalArgumentException(
              "too many coefficients on side %s of tensor %s: %d coefficients of %d bits; must be at most %d for %s at %d elements"
                  .formatted(
                      side,
                      layer.tensor(),
                      codes.count(),
                      codes.bits(),
                      maximum,
                      generator,
                      basis.length()));
        }
        if (codes.count() < generator.minCoefficients(basis.length())) {
          throw new IllegalArgumentException(
              "too few coefficients on side %s of tensor %s: %d; must be %d with generator %s, one an element"
                  .formatted(side, layer.tensor(), codes.count(), basis.length(), generator));
        }
        // At most 2^17 factors of 2^31 elements and 2^31 coefficients each: only the second sum can
        // overflow, and not before it is far beyond its limit.
        factorElements += basis.length();
        basisElements += generator.basisElements(basis.length(), codes.count());
        if (factorElements > Limits.FACTOR_ELEMENTS) {
          throw new LimitExcess(
              "total size of factors too large: more than %d elements, which is the limit"
                  .formatted(Limits.FACTOR_ELEMENTS));
        }
        if (basisElements > Limits.BASIS_ELEMENTS) {
          throw new LimitExcess(
              "total size of bases too large: more than %d elements, which is the limit"
                  .formatted(Limits.BASIS_ELEMENTS));
        }
      }
    }
  }

  private void requireDisjoint() {
    Map<String, Layer> adapted = HashMap.newHashMap(layers.size());
    for (Layer layer : layers) {
      // The layers of one tensor come in ascending order of their slices, so comparing neighbours
      // is enough.
      Layer previous = adapted.put(layer.tensor(), layer);
      if (previous != null) {
        requireDisjoint(previous, layer);
      }
    }
    String previous = null;
    for (DenseTensor tensor : dense) {
      if (tensor.name().equals(previous)) {
        throw new IllegalArgumentException(
            "duplicate dense tensor: " + previous + "; each name may occur once");
      }
      previous = tensor.name();
      if (adapted.containsKey(previous)) {
        throw new IllegalArgumentException(
            "tensor both adapted by a layer and replaced by a dense tensor: "
                + previous
                + "; choose one");
      }
    }
  }

  private static void requireDisjoint(Layer one, Layer other) {
    if (!one.shape().equals(other.shape())) {
      throw new IllegalArgumentException(
          "layers disagree about the shape of tensor %s: %s and %s; must be the same"
              .formatted(one.tensor(), one.shape(), other.shape()));
    }
    if (one.overlaps(other)) {
      throw new IllegalArgumentException(
          "layers overlap in tensor %s: %s and %s; their slices must be disjoint"
              .formatted(one.tensor(), part(one), part(other)));
    }
  }

  private static String part(Layer layer) {
    return layer.slice() == null ? "all of it" : layer.slice().toString();
  }

  private static void requireCount(String what, int count, int limit) {
    if (count > limit) {
      throw new LimitExcess("too many %s: %d; limit is %d".formatted(what, count, limit));
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Adapter that
        && generator == that.generator
        && seed == that.seed
        && layers.equals(that.layers)
        && dense.equals(that.dense)
        && base.equals(that.base)
        && metadata.equals(that.metadata);
  }

  @Override
  public int hashCode() {
    return Objects.hash(generator, seed, layers, dense, base, metadata);
  }

  @Override
  public String toString() {
    return "adapter of %d layers and %d dense tensors, %s, seed 0x%016x"
        .formatted(layers.size(), dense.size(), generator, seed);
  }

  private record Keyed(IndexedName name, Layer layer) {}

  /** Collects the content of an adapter; layers and dense tensors in any order. */
  public static final class Builder {
    private @Nullable Generator generator;
    private long seed;
    private final List<Layer> layers = new ArrayList<>();
    private final List<DenseTensor> dense = new ArrayList<>();
    private BaseModel base = BaseModel.UNKNOWN;
    private Metadata metadata = Metadata.NONE;

    private Builder() {}

    /**
     * Sets the generator; required.
     *
     * @param generator makes the bases of all layers
     * @return this builder
     */
    public Builder generator(Generator generator) {
      this.generator = generator;
      return this;
    }

    /**
     * Sets the seed; 0 by default.
     *
     * @param seed an unsigned 64-bit integer
     * @return this builder
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * Adds a layer.
     *
     * @param layer a layer whose elements no other layer adapts
     * @return this builder
     */
    public Builder layer(Layer layer) {
      layers.add(layer);
      return this;
    }

    /**
     * Adds a dense tensor.
     *
     * @param tensor a tensor that no layer adapts
     * @return this builder
     */
    public Builder dense(DenseTensor tensor) {
      dense.add(tensor);
      return this;
    }

    /**
     * Sets the base model; {@link BaseModel#UNKNOWN} by default.
     *
     * @param base the model that the adapter is for
     * @return this builder
     */
    public Builder base(BaseModel base) {
      this.base = base;
      return this;
    }

    /**
     * Sets the metadata; {@link Metadata#NONE} by default.
     *
     * @param metadata descriptions for people and catalogs
     * @return this builder
     */
    public Builder metadata(Metadata metadata) {
      this.metadata = metadata;
      return this;
    }

    /**
     * Builds the adapter.
     *
     * @return the adapter, in canonical order
     * @throws IllegalArgumentException if a rule of SPEC.md is broken: no layer and no dense
     *     tensor, overlapping layers, a factor too long, more coefficients than sum exactly, or a
     *     limit exceeded
     */
    public Adapter build() {
      return new Adapter(this);
    }
  }
}
