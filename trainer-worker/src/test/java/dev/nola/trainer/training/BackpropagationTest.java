package dev.nola.trainer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.image.Normalization;
import dev.nola.trainer.image.Resampling;
import dev.nola.trainer.method.Adaptations;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Parameter;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Mlp;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients with and without gradient checkpointing. */
class BackpropagationTest {
  /** Dropout, which has to be the same when a block is computed again. */
  private static final double DROPOUT = 0.2;

  /** Label smoothing, which the loss of blocks has to have, too. */
  private static final double SMOOTHING = 0.1;

  private static final Path MODELS = Path.of("src/test/resources/models");
  private static final String ALL = ".";

  private static AdaptedWeights weights(BaseModel base, Method method, String targets) {
    Recipe recipe =
        new Recipe(
            method,
            Pattern.compile(targets),
            new Recipe.Size(View.LAYER, 4, 8, 8),
            new Recipe.Bases(
                method == Method.LORA ? Generator.IDENTITY : Generator.SRHT, 5, false, false),
            Scaling.of(1.3),
            new Recipe.Training(Recipe.Rounding.NONE, DROPOUT, 5));
    int classes = base.network().head() == null ? 0 : 3;
    AdaptedWeights weights =
        new AdaptedWeights(base, Adaptations.of(base, recipe, classes), Kernels.scalar());
    // Where one factor is zero the other's gradient is, too.
    Random random = new Random(4);
    for (Parameter parameter : weights.parameters()) {
      float[] values = parameter.values();
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (0.1 * random.nextGaussian());
      }
    }
    return weights;
  }

  private static List<Example> texts(boolean isClassifier) {
    Random random = new Random(1);
    List<Example> examples = new ArrayList<>();
    for (int length : List.of(5, 9, 7)) {
      int[] tokens = random.ints(length, 0, 32).toArray();
      examples.add(
          isClassifier
              ? new Example.Classified(tokens, random.nextInt(3))
              : new Example.Completion(tokens, 2));
    }
    return examples;
  }

  private static List<Example> images() {
    Random random = new Random(2);
    ImageTransform transform =
        new ImageTransform(null, Resampling.BILINEAR, null, false, Normalization.NONE);
    List<Example> images = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      byte[] pixels = new byte[8 * 8 * 3];
      random.nextBytes(pixels);
      images.add(
          new Example.Picture(
              new ImageSource.Pixels(pixels, 8, 8, 3), transform, null, random.nextInt(3)));
    }
    return images;
  }

  /** The loss, and the gradient of each parameter. */
  private record Gradients(double loss, List<float[]> values) {}

  /** Returns the cosine of the angle between two gradients: 1 for equal directions. */
  private static double cosine(List<float[]> a, List<float[]> b) {
    double product = 0;
    double squareA = 0;
    double squareB = 0;
    for (int p = 0; p < a.size(); p++) {
      for (int i = 0; i < a.get(p).length; i++) {
        product += (double) a.get(p)[i] * b.get(p)[i];
        squareA += (double) a.get(p)[i] * a.get(p)[i];
        squareB += (double) b.get(p)[i] * b.get(p)[i];
      }
    }
    return product / Math.sqrt(squareA * squareB);
  }

  private static Gradients gradients(
      BaseModel base, Method method, String targets, boolean checkpointing) throws IOException {
    AdaptedWeights weights = weights(base, method, targets);
    List<Example> examples =
        base.network().reads() == Input.Kind.IMAGES
            ? images()
            : texts(base.network().head() != null);
    long count = examples.stream().mapToLong(Minibatch::targetCount).sum();
    weights.prepare();
    Backpropagation backpropagation =
        new Backpropagation(base.network(), weights, checkpointing, SMOOTHING);
    double loss =
        backpropagation.add(examples.subList(0, 2), count)
            + backpropagation.add(examples.subList(2, 3), count);
    return new Gradients(loss, weights.parameters().stream().map(Parameter::gradient).toList());
  }

  private static void requireEqual(BaseModel base, Method method, String targets)
      throws IOException {
    Gradients expected = gradients(base, method, targets, false);
    Gradients actual = gradients(base, method, targets, true);
    assertThat(actual.loss()).isEqualTo(expected.loss());
    assertThat(expected.values())
        .as("gradients are not all zero")
        .anyMatch(values -> IntStream.range(0, values.length).anyMatch(i -> values[i] != 0));
    for (int p = 0; p < expected.values().size(); p++) {
      assertThat(actual.values().get(p))
          .as("%s of %s, parameter %d", method, targets, p)
          .containsExactly(expected.values().get(p));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama-tied-grouped", "llama-untied", "gemma2", "gpt2", "bert", "vit", "timm-vit"})
  void checkpointedGradients_areBitwiseEqual(String model) throws IOException {
    try (BaseModel base = BaseModel.load(MODELS.resolve(model))) {
      for (Method method : List.of(Method.LORA, Method.NOLA, Method.PRANC, Method.FULL)) {
        requireEqual(base, method, ALL);
      }
    }
  }

  /** The backward pass ends at the last block, where the first trained matrix is. */
  @ParameterizedTest
  @ValueSource(strings = {"llama-tied-grouped", "gpt2", "bert"})
  void checkpointedGradientsOfTheLastBlock_areBitwiseEqual(String model) throws IOException {
    try (BaseModel base = BaseModel.load(MODELS.resolve(model))) {
      requireEqual(base, Method.LORA, "\\.1\\.");
    }
  }

  @Test
  void checkpointedGradientsOfAHead_areBitwiseEqual() throws IOException {
    try (BaseModel base = BaseModel.load(MODELS.resolve("bert"))) {
      requireEqual(base, Method.HEAD, ALL);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-tied-grouped", "llama-untied", "gpt2", "bert"})
  void lossAndGradientsOfABaseOf8Bits_areCloseToThoseOfF32(String model) throws IOException {
    Path folder = MODELS.resolve(model);
    try (BaseModel exact = BaseModel.load(folder);
        BaseModel rounded = BaseModel.load(folder, BaseType.INT8)) {
      Gradients expected = gradients(exact, Method.LORA, ALL, true);
      Gradients actual = gradients(rounded, Method.LORA, ALL, true);
      assertThat(actual.loss())
          .isCloseTo(expected.loss(), withPercentage(1))
          .isNotEqualTo(expected.loss());
      assertThat(cosine(actual.values(), expected.values())).isGreaterThan(0.99);
      assertThat(rounded.identity(rounded.names())).isEqualTo(exact.identity(exact.names()));
    }
  }

  /** What Java lends PyTorch is only freed by garbage collections, which can be far apart. */
  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"LORA", "NOLA", "FULL"})
  void stepsLeaveNoMemoryToTheGarbageCollector(Method method) throws IOException {
    try (BaseModel base = BaseModel.load(MODELS.resolve("llama-tied-grouped"))) {
      gradients(base, method, ALL, false);
      long before = lentMemory();
      gradients(base, method, ALL, false);
      assertThat(lentMemory()).isLessThanOrEqualTo(before);
    }
  }

  private static long lentMemory() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void checkpointingOfANetworkWithoutBlocks_isRefused() {
    Mlp mlp = new Mlp(List.of(4, 3));
    try (BaseModel base = BaseModel.fromScratch(mlp)) {
      AdaptedWeights weights = weights(base, Method.LORA, ALL);
      assertThatThrownBy(() -> new Backpropagation(mlp, weights, true, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "run.gradientCheckpointing=true does not apply to this model; only to transformers");
    }
  }
}
