package dev.nola.client.synthetic;

import com.google.re2j.Pattern;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.MatrixView;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.quantize.Quantizer;
import dev.nola.reconstruct.BaseIdentity;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How to make an adapter whose coefficients are random: it has the size and the cost of a trained
 * one, and no use. Immutable; equal settings and tensors give equal bytes, on every machine.
 *
 * <p>Codes are uniform. The scale of each layer is such that the elements of ΔW have a root mean
 * square of {@link Builder#deltaRms}, in expectation over seeds. Layers are numbered in file order,
 * and the number of a layer is its stream, unless the bases are shared.
 */
public final class SyntheticAdapter {
  /** The tag that all of them have. */
  public static final String TAG = "synthetic";

  /** Names that an error lists at most. */
  private static final int NAMES_LISTED = 5;

  private final Generator generator;
  private final long seed;
  private final int rank;
  private final int k;
  private final int l;
  private final int bits;
  private final boolean sharedBasis;
  private final boolean direct;
  private final double deltaRms;
  private final String baseName;

  private SyntheticAdapter(Builder builder) {
    this.generator = builder.generator;
    this.seed = builder.seed;
    this.rank = builder.rank;
    this.k = builder.k;
    this.l = builder.l;
    this.bits = builder.bits;
    this.sharedBasis = builder.sharedBasis;
    this.direct = builder.direct;
    this.deltaRms = builder.deltaRms;
    this.baseName = builder.baseName;
  }

  /**
   * Returns a new builder; every setting has a default.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Creates an adapter for the tensors of a model whose full name has a match of a pattern anywhere
   * ({@code q_proj} finds {@code model.layers.0.self_attn.q_proj.weight}; use {@code ^} and {@code
   * $} to match whole names). Of these, tensors of fewer than two dimensions (biases, norms) and of
   * other types than F32, F16 and BF16 are left alone.
   *
   * @param base the model
   * @param targets the pattern
   * @return the adapter with its digest and the identity of the base model
   * @throws IllegalArgumentException if no tensor is left, or a tensor cannot be adapted so: more
   *     coefficients than the generator has for a factor, or a factor too long
   * @throws LimitExceededException if reconstruction would exceed {@link
   *     dev.nola.reconstruct.Budget#standard}
   */
  public AdapterFile forModel(Model base, Pattern targets) throws LimitExceededException {
    List<Tensor> matching =
        base.tensors().values().stream().filter(t -> targets.matcher(t.name()).find()).toList();
    List<Tensor> adapted = matching.stream().filter(SyntheticAdapter::isAdaptable).toList();
    if (matching.isEmpty()) {
      throw new IllegalArgumentException(
          "no tensor of %s matches %s; its tensors are %s"
              .formatted(base.path(), targets, some(base.tensors().values())));
    }
    if (adapted.isEmpty()) {
      throw new IllegalArgumentException(
          "none of the tensors of %s that match %s can be adapted: %s; must have two dimensions or more and type F32, F16 or BF16"
              .formatted(base.path(), targets, some(matching)));
    }
    SortedMap<String, List<Integer>> shapes = new TreeMap<>();
    adapted.forEach(tensor -> shapes.put(tensor.name(), shape(tensor)));
    List<BaseIdentity.Tensor> identities =
        adapted.parallelStream()
            .map(
                tensor ->
                    BaseIdentity.Tensor.of(
                        tensor.name(),
                        tensor.adaptableType().orElseThrow(),
                        shape(tensor),
                        tensor.data()))
            .toList();
    return seal(shapes, new BaseModel(baseName, "", BaseIdentity.of(identities)));
  }

  /**
   * An adapter for tensors of which only names and stored shapes are known.
   *
   * @param shapes of two dimensions or more, by name
   * @return the adapter with its digest, without an identity of the base model
   * @throws IllegalArgumentException if no tensor matches, or one cannot be adapted so: fewer than
   *     two dimensions, more coefficients than the generator has for a factor, or a factor too long
   * @throws LimitExceededException if reconstruction would exceed {@link
   *     dev.nola.reconstruct.Budget#standard}
   */
  public AdapterFile forShapes(Map<String, List<Integer>> shapes) throws LimitExceededException {
    if (shapes.isEmpty()) {
      throw new IllegalArgumentException("no tensors to adapt; needs at least one");
    }
    shapes.forEach(
        (name, shape) -> {
          if (shape.size() < 2) {
            throw new IllegalArgumentException(
                "tensor %s has shape %s; must have two dimensions or more".formatted(name, shape));
          }
        });
    return seal(shapes, new BaseModel(baseName, "", null));
  }

  private AdapterFile seal(Map<String, List<Integer>> shapes, BaseModel base)
      throws LimitExceededException {
    Adapter.Builder unnumbered = Adapter.builder().generator(generator);
    shapes.forEach((name, shape) -> unnumbered.layer(layer(name, shape, 0)));
    List<Layer> inFileOrder = unnumbered.build().layers();
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(generator)
            .seed(isLora() ? 0 : seed)
            .base(base)
            .metadata(
                Metadata.of("Random coefficients, for tests and benchmarks.", "", "")
                    .withTags(TAG));
    for (int number = 0; number < inFileOrder.size(); number++) {
      Layer layer = inFileOrder.get(number);
      adapter.layer(layer(layer.tensor(), layer.shape(), number));
    }
    return Reconstructor.standard().seal(adapter.build());
  }

  private Layer layer(String tensor, List<Integer> shape, int number) {
    MatrixView view = MatrixView.of(tensor, shape);
    long lengthOfA = direct ? (long) view.rows() * view.cols() : (long) rank * view.rows();
    Codes alpha = codes(tensor, number, Side.A, k, lengthOfA);
    Coefficients coefficients =
        direct
            ? new Direct(alpha)
            : new LowRank(rank, alpha, codes(tensor, number, Side.B, l, (long) rank * view.cols()));
    return new Layer(
        tensor,
        shape,
        null,
        view.rows(),
        view.cols(),
        sharedBasis || isLora() ? 0 : number,
        scale(),
        coefficients);
  }

  private Codes codes(String tensor, int number, Side side, int coefficients, long length) {
    if (!isLora()) {
      return RandomCodes.draw(seed, number, side, coefficients, bits);
    }
    if (length > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "factor %s of tensor %s too large: %d elements; limit is %d for %s"
              .formatted(side, tensor, length, Integer.MAX_VALUE, generator));
    }
    return RandomCodes.draw(seed, number, side, (int) length, bits);
  }

  /**
   * Returns whether the codes are the elements of the factors, and nothing is drawn for a basis.
   */
  private boolean isLora() {
    return generator == Generator.IDENTITY;
  }

  /** From what a product of random factors has as mean square at a scale of 1. */
  private float scale() {
    double term = RandomCodes.meanSquare(bits) * meanSquare(generator);
    double a = isLora() ? term : k * term;
    double b = isLora() ? term : l * term;
    double meanSquare = direct ? a : rank * a * b;
    return Quantizer.scale(deltaRms, 1 / Math.sqrt(meanSquare));
  }

  /** The mean square of a basis integer. */
  private static double meanSquare(Generator generator) {
    return switch (generator) {
      case UNIFORM24 -> RandomCodes.meanSquare(24); // odd integers likewise
      case UNIFORM8 -> RandomCodes.meanSquare(8);
      case RADEMACHER, SRHT, IDENTITY -> 1; // of the integer that is not 0, for identity
    };
  }

  private static boolean isAdaptable(Tensor tensor) {
    return tensor.shape().size() >= 2 && tensor.adaptableType().isPresent();
  }

  private static List<Integer> shape(Tensor tensor) {
    List<Integer> shape = new ArrayList<>();
    for (long dim : tensor.shape()) {
      if (dim < 1 || dim > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "tensor %s has shape %s; every dimension must be 1 to 2^31-1"
                .formatted(tensor.name(), tensor.shape()));
      }
      shape.add((int) dim);
    }
    return shape;
  }

  private static String some(Iterable<Tensor> tensors) {
    List<String> names = new ArrayList<>();
    int more = 0;
    for (Tensor tensor : tensors) {
      if (names.size() < NAMES_LISTED) {
        names.add(tensor.toString());
      } else {
        more++;
      }
    }
    String listed = names.isEmpty() ? "no tensor" : String.join(", ", names);
    return more == 0 ? listed : listed + " and " + more + " more";
  }

  /** Collects settings. */
  public static final class Builder {
    private Generator generator = Generator.SRHT;
    private long seed;
    private int rank = 8;
    private int k = 64;
    private int l = 64;
    private int bits = 4;
    private boolean sharedBasis;
    private boolean direct;
    private double deltaRms = 1e-3;
    private String baseName = "";

    private Builder() {}

    /**
     * Sets the generator; {@link Generator#SRHT} when not set.
     *
     * @param generator the generator
     * @return this builder
     */
    public Builder generator(Generator generator) {
      this.generator = generator;
      return this;
    }

    /**
     * Sets the seed of bases and codes, all 64 bits of it; 0 when not set.
     *
     * @param seed the seed
     * @return this builder
     */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * Sets r, which may exceed R and C; 8 when not set.
     *
     * @param rank at least 1
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder rank(int rank) {
      requirePositive("rank", rank);
      this.rank = rank;
      return this;
    }

    /**
     * Sets the numbers of coefficients; 64 each when not set. In the direct form only {@code k}
     * counts; for {@link Generator#IDENTITY} neither does: there is one an element.
     *
     * @param k of side A
     * @param l of side B
     * @throws IllegalArgumentException if one is not positive
     */
    public Builder coefficients(int k, int l) {
      requirePositive("k", k);
      requirePositive("l", l);
      this.k = k;
      this.l = l;
      return this;
    }

    /**
     * Sets the width of a code; 4 when not set.
     *
     * @param bits 1 to 16
     * @return this builder
     * @throws IllegalArgumentException if it is not 1..16
     */
    public Builder bits(int bits) {
      if (bits < 1 || bits > Generator.MAX_BITS) {
        throw new IllegalArgumentException(
            "invalid code width: %d bits; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
      }
      this.bits = bits;
      return this;
    }

    /**
     * Sets whether all layers take their bases from stream 0; default: no.
     *
     * @param sharedBasis true to share them
     * @return this builder
     */
    public Builder sharedBasis(boolean sharedBasis) {
      this.sharedBasis = sharedBasis;
      return this;
    }

    /**
     * Sets whether ΔW is a sum of k matrices (PRANC) and has no rank; default: no.
     *
     * @param direct true for the direct form
     * @return this builder
     */
    public Builder direct(boolean direct) {
      this.direct = direct;
      return this;
    }

    /**
     * Sets the root mean square that an element of ΔW is to have; 1e-3 when not set, a twentieth of
     * what weights are usually initialised with.
     *
     * @param deltaRms positive and finite
     * @return this builder
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Builder deltaRms(double deltaRms) {
      if (!(deltaRms > 0 && deltaRms < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "invalid deltaRms: " + deltaRms + "; must be positive and finite");
      }
      this.deltaRms = deltaRms;
      return this;
    }

    /**
     * Sets the name of the base model that the adapter states; none when not set.
     *
     * @param baseName the name
     * @return this builder
     */
    public Builder baseName(String baseName) {
      this.baseName = baseName;
      return this;
    }

    /**
     * Returns the settings.
     *
     * @return the settings
     */
    public SyntheticAdapter build() {
      return new SyntheticAdapter(this);
    }

    private static void requirePositive(String what, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(
            "invalid " + what + ": " + value + "; must be at least 1");
      }
    }
  }
}
