package dev.nola.trainer.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.nola.format.Slice;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.trainer.model.Adaptable;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.FreshTensor;
import dev.nola.trainer.model.Head;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Chooses what is trained in a model, and its initial values. */
public final class Adaptations {
  /** Standard deviation of the weights of a new head, as in Hugging Face's library. */
  private static final double CLASSIFIER_DEVIATION = 0.02;

  private final BaseModel base;
  private final Recipe recipe;
  private final InitialValues initial;
  private final List<Adaptation> adaptations = new ArrayList<>();

  /** Stored bases; targets that share a basis share its matrix. */
  private final Map<Stored, NDArray> bases = new HashMap<>();

  private int stream;

  /** The identity of a stored basis. */
  private record Stored(Basis basis, int vectors) {}

  private Adaptations(BaseModel base, Recipe recipe) {
    this.base = base;
    this.recipe = recipe;
    this.initial = new InitialValues(recipe.training().seed());
  }

  /**
   * Returns what is trained in a model.
   *
   * @param base the model
   * @param recipe how it is trained
   * @param classes number of classes of the classifier that a model gets; not used for models
   *     without one
   * @return an adaptation for each tensor that is trained, in a fixed order
   * @throws IllegalArgumentException if no tensor is a target, a basis has fewer vectors than there
   *     are coefficients, or a matrix does not fit into an array
   */
  public static List<Adaptation> of(BaseModel base, Recipe recipe, int classes) {
    Adaptations adaptations = new Adaptations(base, recipe);
    List<FreshTensor> fresh = base.network().fresh(classes);
    if (!fresh.isEmpty()) {
      fresh.forEach(adaptations::fromScratch);
    } else {
      adaptations.preTrained();
      Head head = base.network().head();
      if (head != null) {
        adaptations.classifier(head, classes);
      }
    }
    return List.copyOf(adaptations.adaptations);
  }

  private void preTrained() {
    switch (recipe.method()) {
      case HEAD -> {}
      case FULL -> {
        List<String> targets =
            base.names().stream()
                .filter(name -> !isOfNewClassifier(name) && recipe.targets().matcher(name).find())
                .toList();
        requireSome(targets, base.names().getFirst());
        targets.forEach(name -> whole(name, base.tensor(name)));
      }
      case NOLA, PRANC, LORA -> {
        List<Adaptable> targets =
            base.network().adaptable().stream()
                .filter(adaptable -> recipe.targets().matcher(adaptable.name()).find())
                .toList();
        requireSome(targets, base.network().adaptable().getFirst().name());
        requireFewCoefficients(targets);
        for (Adaptable target : targets) {
          adapt(target(target), false);
        }
      }
    }
  }

  private void requireSome(List<?> targets, String example) {
    if (targets.isEmpty()) {
      throw new IllegalArgumentException(
          "method.targets=%s matches none of the tensors that can be adapted, such as %s"
              .formatted(recipe.targets(), example));
    }
  }

  /**
   * Requires that no target has fewer basis vectors than coefficients; names, of each side, the
   * target that allows the fewest.
   */
  private void requireFewCoefficients(List<Adaptable> targets) {
    List<String> problems = new ArrayList<>();
    for (Side side : Side.values()) {
      ToIntFunction<Adaptable> length = target -> length(target, side);
      targets.stream()
          .filter(target -> length.applyAsInt(target) > 0)
          .min(Comparator.comparingInt(length))
          .map(target -> tooMany(target.name(), side, length.applyAsInt(target)))
          .filter(problem -> !problem.isEmpty())
          .ifPresent(problems::add);
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("\n", problems));
    }
  }

  /** Returns the number of elements that a side's coefficients make; 0 without such a side. */
  private int length(Adaptable adaptable, Side side) {
    Target target = target(adaptable);
    String name = adaptable.name();
    int rank = recipe.size().rank();
    return switch (recipe.method()) {
      case NOLA -> elements(name, rank, side == Side.A ? target.rows() : target.cols());
      case PRANC -> side == Side.A ? elements(name, target.rows(), target.cols()) : 0;
      case LORA, FULL, HEAD -> 0;
    };
  }

  /** Says that a side has more coefficients than basis vectors; empty if it does not. */
  private String tooMany(String tensor, Side side, int length) {
    int count = side == Side.A ? recipe.size().k() : recipe.size().l();
    long limit = recipe.bases().generator().maxCoefficients(length, BasisSide.TRAINING_BITS);
    if (count <= limit) {
      return "";
    }
    String key = side == Side.A ? "method.k" : "method.l";
    return "%s too large for tensor %s: %d; must be at most %d for %s at %d elements; lower %s%s"
        .formatted(
            key,
            tensor,
            count,
            limit,
            recipe.bases().generator(),
            length,
            key,
            recipe.method() == Method.NOLA ? " or raise method.rank" : "");
  }

  /** Returns whether a tensor of the base is replaced by one of a new classifier. */
  private boolean isOfNewClassifier(String name) {
    Head head = base.network().head();
    return head != null && name.startsWith(head.module() + ".");
  }

  /** Adds a new classifier, and a new pooler where the base has none. */
  private void classifier(Head head, int classes) {
    int width = hiddenSize();
    linear(head.module(), classes, width, head.biased());
    String pooler = head.pooler();
    if (pooler != null && base.shape(pooler + ".weight") == null) {
      linear(pooler, width, width, true);
    }
  }

  /** Returns the width of hidden states, which the first matrix of a transformer multiplies. */
  private int hiddenSize() {
    return target(base.network().adaptable().getFirst()).shape().get(1);
  }

  private void linear(String module, int outputs, int inputs, boolean biased) {
    String weight = module + ".weight";
    whole(
        weight,
        new long[] {outputs, inputs},
        initial.gaussian(elements(weight, outputs, inputs), CLASSIFIER_DEVIATION));
    if (biased) {
      whole(module + ".bias", new long[] {outputs}, new float[outputs]);
    }
  }

  /**
   * Trains W itself, as there is no base to add it to. All coefficients are random at the start,
   * because a network of zeros has no gradient.
   */
  private void fromScratch(FreshTensor fresh) {
    String name = fresh.name();
    long[] shape = fresh.shape().stream().mapToLong(Integer::longValue).toArray();
    int first = fresh.shape().getFirst();
    switch (fresh.role()) {
      case WEIGHT -> {
        switch (recipe.method()) {
          case NOLA, PRANC, LORA -> adapt(target(Adaptable.whole(name), fresh.shape()), true);
          case FULL, HEAD -> {
            int inputs = inputs(fresh.shape());
            whole(
                name,
                shape,
                initial.gaussian(elements(name, first, inputs), Math.sqrt(2.0 / inputs)));
          }
        }
      }
      case BIAS -> whole(name, shape, new float[first]);
      case GAIN -> whole(name, shape, ones(first));
      case RUNNING_MEAN -> running(name, shape, new float[first]);
      case RUNNING_VARIANCE -> running(name, shape, ones(first));
    }
  }

  private static float[] ones(int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  private void running(String name, long[] shape, float[] values) {
    adaptations.add(new RunningTensor(name, shape, new Parameter(name, values)));
  }

  private Target target(Adaptable adaptable) {
    Shape shape = base.shape(adaptable.tensor());
    if (shape == null) {
      throw new IllegalArgumentException("the base model has no tensor " + adaptable.tensor());
    }
    return target(adaptable, sizes(shape));
  }

  private Target target(Adaptable adaptable, List<Integer> shape) {
    List<Integer> part = new ArrayList<>(shape);
    Slice slice = adaptable.slice();
    if (slice != null) {
      part.set(slice.dim(), slice.length());
    }
    int inputs = adaptable.isTransposed() ? part.getFirst() : inputs(part);
    return new Target(
        adaptable.tensor(), shape, slice, recipe.size().view().of(adaptable.name(), part), inputs);
  }

  private static List<Integer> sizes(Shape shape) {
    return LongStream.of(shape.getShape()).mapToObj(Math::toIntExact).toList();
  }

  /** Returns the number of elements for each index of the first dimension. */
  private static int inputs(List<Integer> shape) {
    return shape.stream().skip(1).reduce(1, Math::multiplyExact);
  }

  private void adapt(Target target, boolean random) {
    String name = target.label();
    int rows = target.rows();
    int cols = target.cols();
    int inputs = target.inputs();
    int rank = recipe.size().rank();
    switch (recipe.method()) {
      case NOLA -> {
        int targetStream = nextStream();
        double gain = recipe.scaling().nola(rank, inputs);
        adaptations.add(
            new LowRankAdaptation(
                target,
                rank,
                targetStream,
                factor(
                    side(
                        name,
                        targetStream,
                        Side.A,
                        elements(name, rows, rank),
                        recipe.size().k(),
                        true),
                    gain),
                factor(
                    side(
                        name,
                        targetStream,
                        Side.B,
                        elements(name, rank, cols),
                        recipe.size().l(),
                        random),
                    1),
                dropout()));
      }
      case PRANC -> {
        int targetStream = nextStream();
        adaptations.add(
            new DirectAdaptation(
                target,
                targetStream,
                factor(
                    side(
                        name,
                        targetStream,
                        Side.A,
                        elements(name, rows, cols),
                        recipe.size().k(),
                        random),
                    recipe.scaling().pranc(inputs))));
      }
      case LORA -> {
        // As in PEFT: A uniform in ±1/√in, B zero.
        float[] a = initial.uniform(elements(name, rank, cols), 1 / Math.sqrt(inputs));
        int lengthOfB = elements(name, rows, rank);
        float[] b = random ? initial.gaussian(lengthOfB, 1) : new float[lengthOfB];
        adaptations.add(
            new LowRankAdaptation(
                target,
                rank,
                0,
                factor(identitySide(Side.A, name + ".lora_B", b), recipe.scaling().lora(rank)),
                factor(identitySide(Side.B, name + ".lora_A", a), 1),
                dropout()));
      }
      case FULL, HEAD -> throw new AssertionError("this method adapts no targets");
    }
  }

  private @Nullable Dropout dropout() {
    double rate = recipe.training().dropout();
    // Targets may share a stream, but not which elements they drop.
    return rate == 0 ? null : new Dropout(rate, recipe.training().seed(), adaptations.size());
  }

  private int nextStream() {
    return recipe.bases().shared() ? 0 : stream++;
  }

  /** Counts the elements of a matrix, which must fit into one array of Java's. */
  private static int elements(String tensor, int rows, int cols) {
    long elements = (long) rows * cols;
    if (elements > BasisSide.MAX_ARRAY) {
      throw new IllegalArgumentException(
          "tensor %s: a matrix of %d×%d has %d elements; must have at most %d"
              .formatted(tensor, rows, cols, elements, BasisSide.MAX_ARRAY));
    }
    return (int) elements;
  }

  private Factor factor(BasisSide side, double gain) {
    if (!recipe.bases().stored()) {
      return new GeneratedFactor(side, recipe.training().rounding().firstBits(), gain);
    }
    int k = side.coefficients().values().length;
    NDArray basis =
        bases.computeIfAbsent(
            new Stored(side.basis(), k), _ -> base.keep(side.stored(), k, side.basis().length()));
    return new StoredFactor(side, recipe.training().rounding().firstBits(), gain, basis);
  }

  private BasisSide side(
      String tensor, int targetStream, Side side, int length, int count, boolean random) {
    String problem = tooMany(tensor, side, length);
    if (!problem.isEmpty()) {
      throw new IllegalArgumentException(problem);
    }
    float[] coefficients = random ? initial.gaussian(count, 1) : new float[count];
    String name = tensor + (side == Side.A ? ".alpha" : ".beta");
    return new BasisSide(
        new Basis(recipe.bases().generator(), recipe.bases().seed(), targetStream, side, length),
        new Parameter(name, coefficients));
  }

  /** Returns a side whose coefficients are the factor's elements: seed and stream are 0. */
  private static BasisSide identitySide(Side side, String name, float[] elements) {
    return new BasisSide(
        new Basis(Generator.IDENTITY, 0, 0, side, elements.length), new Parameter(name, elements));
  }

  private void whole(String name, @Nullable NDArray tensor) {
    if (tensor != null) {
      whole(name, tensor.getShape().getShape(), tensor.toFloatArray());
    }
  }

  private void whole(String name, long[] shape, float[] values) {
    adaptations.add(new WholeTensor(name, shape, new Parameter(name, values)));
  }
}
