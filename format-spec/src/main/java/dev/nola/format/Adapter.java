package dev.nola.format;

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
    if (Rules.isBroken(Rule.IDENTITY_SEED, generator != Generator.IDENTITY || seed == 0)) {
      throw new RuleViolation(
          Rule.IDENTITY_SEED,
          "invalid seed: 0x%016x; must be 0 with generator %s, which draws nothing"
              .formatted(seed, generator));
    }
    DeclaredLimits.requireCount("layers", builder.layers.size(), Limits.LAYERS);
    DeclaredLimits.requireCount("dense tensors", builder.dense.size(), Limits.DENSE_TENSORS);
    if (Rules.isBroken(
        Rule.SOMETHING_INSIDE, !builder.layers.isEmpty() || !builder.dense.isEmpty())) {
      throw new RuleViolation(
          Rule.SOMETHING_INSIDE, "empty adapter; must have at least one layer or dense tensor");
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
    requireDisjoint();
    layers.forEach(this::requireLegalFactors);
    requireFactorsWithinLimits();
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

  private void requireLegalFactors(Layer layer) {
    if (Rules.isBroken(
        Rule.IDENTITY_STREAM, generator != Generator.IDENTITY || layer.stream() == 0)) {
      throw new RuleViolation(
          Rule.IDENTITY_STREAM,
          "invalid stream number of tensor %s: %s; must be 0 with generator %s, which draws nothing"
              .formatted(layer.tensor(), Integer.toUnsignedString(layer.stream()), generator));
    }
    for (Side side : Side.values()) {
      Codes codes = layer.codes(side);
      if (codes != null) {
        requireLegalFactor(layer, side, codes);
      }
    }
  }

  private void requireLegalFactor(Layer layer, Side side, Codes codes) {
    long length = layer.factorLength(side);
    if (Rules.isBroken(
        Rule.EXACT_SUMS,
        Codes.part(side),
        codes.count() <= generator.maxExactCoefficients(codes.bits()))) {
      throw new RuleViolation(
          Rule.EXACT_SUMS,
          "too many coefficients on side %s of tensor %s: %d coefficients of %d bits; must be at most %d for %s"
              .formatted(
                  side,
                  layer.tensor(),
                  codes.count(),
                  codes.bits(),
                  generator.maxExactCoefficients(codes.bits()),
                  generator));
    }
    if (Rules.isBroken(
        Rule.COLUMNS,
        Codes.part(side),
        generator != Generator.SRHT || codes.count() <= Long.highestOneBit(length))) {
      throw new RuleViolation(
          Rule.COLUMNS,
          "too many coefficients on side %s of tensor %s: %d coefficients; must be at most %d for %s at %d elements"
              .formatted(
                  side,
                  layer.tensor(),
                  codes.count(),
                  Long.highestOneBit(length),
                  generator,
                  length));
    }
    if (Rules.isBroken(
        Rule.IDENTITY_COUNT,
        Codes.part(side),
        generator != Generator.IDENTITY || codes.count() == length)) {
      throw new RuleViolation(
          Rule.IDENTITY_COUNT,
          "wrong number of coefficients on side %s of tensor %s: %d; must be %d with generator %s, one an element"
              .formatted(side, layer.tensor(), codes.count(), length, generator));
    }
  }

  private void requireFactorsWithinLimits() {
    long factorElements = 0;
    long basisElements = 0;
    for (Layer layer : layers) {
      for (Side side : Side.values()) {
        Codes codes = layer.codes(side);
        if (codes != null) {
          layer.requireFactorLength(generator, side);
          int length = (int) layer.factorLength(side);
          factorElements += length;
          // Held at its limit and one: factors together could exceed 63 bits.
          basisElements =
              Math.min(
                  basisElements + generator.basisElements(length, codes.count()),
                  Limits.BASIS_ELEMENTS + 1);
        }
      }
    }
    long factors = factorElements;
    if (Rules.isBroken(Rule.FACTOR_SUM, factors <= Limits.FACTOR_ELEMENTS)) {
      throw new RuleViolation(
          Rule.FACTOR_SUM,
          "total size of factors too large: %d elements; limit is %d"
              .formatted(factors, Limits.FACTOR_ELEMENTS));
    }
    if (Rules.isBroken(Rule.BASIS_SUM, basisElements <= Limits.BASIS_ELEMENTS)) {
      throw new RuleViolation(
          Rule.BASIS_SUM,
          "total size of bases too large: more than %d elements, which is the limit"
              .formatted(Limits.BASIS_ELEMENTS));
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
      String name = tensor.name();
      if (Rules.isBroken(Rule.DENSE_NAMES_DISTINCT, !name.equals(previous))) {
        throw new RuleViolation(
            Rule.DENSE_NAMES_DISTINCT,
            "duplicate dense tensor: " + name + "; each name may occur once");
      }
      if (Rules.isBroken(Rule.DENSE_NOT_ADAPTED, !adapted.containsKey(name))) {
        throw new RuleViolation(
            Rule.DENSE_NOT_ADAPTED,
            "tensor both adapted by a layer and replaced by a dense tensor: "
                + name
                + "; choose one");
      }
      previous = name;
    }
  }

  private static void requireDisjoint(Layer one, Layer other) {
    if (Rules.isBroken(Rule.SHAPES_AGREE, one.shape().equals(other.shape()))) {
      throw new RuleViolation(
          Rule.SHAPES_AGREE,
          "layers disagree about the shape of tensor %s: %s and %s; must be the same"
              .formatted(one.tensor(), one.shape(), other.shape()));
    }
    if (Rules.isBroken(Rule.DISJOINT, !one.overlaps(other))) {
      throw new RuleViolation(
          Rule.DISJOINT,
          "layers overlap in tensor %s: %s and %s; their slices must be disjoint"
              .formatted(one.tensor(), part(one), part(other)));
    }
  }

  private static String part(Layer layer) {
    return layer.slice() == null ? "all of it" : layer.slice().toString();
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
