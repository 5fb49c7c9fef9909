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
 * whatever order it was built in, so that equal content gives equal bytes.
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
      throw new IllegalArgumentException("an adapter needs a generator");
    }
    this.generator = builder.generator;
    this.seed = builder.seed;
    requireCount("layers", builder.layers.size(), Limits.LAYERS);
    requireCount("dense tensors", builder.dense.size(), Limits.DENSE_TENSORS);
    if (builder.layers.isEmpty() && builder.dense.isEmpty()) {
      throw new IllegalArgumentException("an adapter needs a layer or a dense tensor");
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

  /** A new builder; only the generator has no default. */
  public static Builder builder() {
    return new Builder();
  }

  /** The generator of all bases. */
  public Generator generator() {
    return generator;
  }

  /** The seed of all bases, an unsigned 64-bit integer. */
  public long seed() {
    return seed;
  }

  /** The layers in file order. */
  public List<Layer> layers() {
    return layers;
  }

  /** The dense tensors in file order: ascending by name. */
  public List<DenseTensor> dense() {
    return dense;
  }

  /** The model that this adapter is for. */
  public BaseModel base() {
    return base;
  }

  /** What a person or a catalog wants to know. */
  public Metadata metadata() {
    return metadata;
  }

  private void requireLegalFactors() {
    long factorElements = 0;
    long basisElements = 0;
    for (Layer layer : layers) {
      for (Side side : Side.values()) {
        Basis basis = layer.basis(generator, seed, side);
        Codes codes = layer.codes(side);
        if (basis == null || codes == null) {
          continue;
        }
        long most = generator.maxCoefficients(basis.length(), codes.bits());
        if (codes.count() > most) {
          throw new IllegalArgumentException(
              "tensor %s combines %d coefficients of %d bits on side %s, at most %d are exact for %s at %d elements"
                  .formatted(
                      layer.tensor(),
                      codes.count(),
                      codes.bits(),
                      side,
                      most,
                      generator,
                      basis.length()));
        }
        // At most 2^17 factors of 2^31 elements and 2^31 coefficients each: only the second sum can
        // overflow, and not
        // before it is far beyond its limit.
        factorElements += basis.length();
        basisElements += (long) basis.length() * codes.count();
        if (factorElements > Limits.FACTOR_ELEMENTS) {
          throw new LimitExcess(
              "the factors have more than %d elements, which is the limit"
                  .formatted(Limits.FACTOR_ELEMENTS));
        }
        if (basisElements > Limits.BASIS_ELEMENTS) {
          throw new LimitExcess(
              "the bases have more than %d elements, which is the limit"
                  .formatted(Limits.BASIS_ELEMENTS));
        }
      }
    }
  }

  private void requireDisjoint() {
    Map<String, Layer> adapted = HashMap.newHashMap(layers.size());
    for (Layer layer : layers) {
      // The layers of one tensor come in ascending order of their slices, so that neighbours tell.
      Layer previous = adapted.put(layer.tensor(), layer);
      if (previous != null) {
        requireDisjoint(previous, layer);
      }
    }
    String previous = null;
    for (DenseTensor tensor : dense) {
      if (tensor.name().equals(previous)) {
        throw new IllegalArgumentException("dense tensor " + previous + " is there twice");
      }
      previous = tensor.name();
      if (adapted.containsKey(previous)) {
        throw new IllegalArgumentException(
            "tensor " + previous + " is both adapted by a layer and replaced by a dense tensor");
      }
    }
  }

  private static void requireDisjoint(Layer one, Layer other) {
    if (!one.shape().equals(other.shape())) {
      throw new IllegalArgumentException(
          "tensor %s is given the shapes %s and %s"
              .formatted(one.tensor(), one.shape(), other.shape()));
    }
    if (one.overlaps(other)) {
      throw new IllegalArgumentException(
          "two layers adapt the same elements of tensor %s: %s and %s"
              .formatted(one.tensor(), part(one), part(other)));
    }
  }

  private static String part(Layer layer) {
    return layer.slice() == null ? "all of it" : layer.slice().toString();
  }

  private static void requireCount(String what, int count, int limit) {
    if (count > limit) {
      throw new LimitExcess("the adapter has %d %s, limit is %d".formatted(count, what, limit));
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

    /** Sets the generator; required. */
    public Builder generator(Generator generator) {
      this.generator = generator;
      return this;
    }

    /** Sets the seed, all 64 bits of it; 0 when not set. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Adds a layer. */
    public Builder layer(Layer layer) {
      layers.add(layer);
      return this;
    }

    /** Adds a dense tensor. */
    public Builder dense(DenseTensor tensor) {
      dense.add(tensor);
      return this;
    }

    /** Sets the base model; unknown when not set. */
    public Builder base(BaseModel base) {
      this.base = base;
      return this;
    }

    /** Sets the metadata; none when not set. */
    public Builder metadata(Metadata metadata) {
      this.metadata = metadata;
      return this;
    }

    /**
     * The adapter.
     *
     * @throws IllegalArgumentException if a rule of SPEC.md is broken: no layer and no dense
     *     tensor, overlapping layers, a factor too long, more coefficients than sum exactly, or a
     *     limit exceeded
     */
    public Adapter build() {
      return new Adapter(this);
    }
  }
}
