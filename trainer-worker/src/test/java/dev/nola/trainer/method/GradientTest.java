package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.StandInDriver;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Gradients of coefficients, found without a stored basis. */
class GradientTest {
  private static final int IN = 18;
  private static final int OUT = 8;
  private static final int RANK = 3;
  private static final int K = 12;

  private static Recipe recipe(
      Method method, Generator generator, boolean storedBasis, int quantizationAwareBits) {
    return recipe(method, View.LAYER, generator, storedBasis, quantizationAwareBits);
  }

  private static Recipe recipe(
      Method method,
      View view,
      Generator generator,
      boolean storedBasis,
      int quantizationAwareBits) {
    return new Recipe(
        method,
        Pattern.compile("."),
        new Recipe.Size(view, RANK, K, K - 2),
        new Recipe.Bases(generator, 11, false, storedBasis),
        Scaling.of(1.3),
        Recipe.Rounding.always(quantizationAwareBits));
  }

  private static List<Example> examples() {
    Random random = new Random(2);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      float[] values = new float[IN];
      for (int j = 0; j < IN; j++) {
        values[j] = (float) random.nextGaussian();
      }
      examples.add(new Example.Features(values, random.nextInt(4)));
    }
    return examples;
  }

  /** Returns the loss, and with {@code record} adds gradients to the parameters. */
  private static double loss(AdaptedWeights weights, Mlp mlp, boolean record) throws IOException {
    weights.prepare();
    try (NDManager step = Tensors.newManager()) {
      Tensors.recordGradients(record);
      weights.begin(step, record);
      Minibatch batch = Minibatch.of(step, examples());
      NDArray right =
          mlp.logits(batch.batch(), weights)
              .logSoftmax(-1)
              .gather(batch.targets().expandDims(-1), -1);
      NDArray loss = right.mean().neg();
      if (record) {
        Tensors.backward(loss);
        Tensors.recordGradients(false);
        weights.collect();
      }
      return loss.getFloat();
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void gradientsAreFiniteDifferences(Generator generator) throws IOException {
    requireFiniteDifferences(generator, View.LAYER, false);
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void gradientsByAStoredBasis_areFiniteDifferences(Generator generator) throws IOException {
    requireFiniteDifferences(generator, View.LAYER, true);
  }

  /** A layer of 8×18 is computed as 12×12. */
  @ParameterizedTest
  @EnumSource(Generator.class)
  void gradientsOfASquareView_areFiniteDifferences(Generator generator) throws IOException {
    requireFiniteDifferences(generator, View.SQUARE, false);
  }

  private static List<Method> methods(Generator generator) {
    return generator == Generator.IDENTITY
        ? List.of(Method.LORA)
        : List.of(Method.NOLA, Method.PRANC);
  }

  private static void requireFiniteDifferences(Generator generator, View view, boolean storedBasis)
      throws IOException {
    List<Method> methods = new ArrayList<>(methods(generator));
    if (generator != Generator.IDENTITY) {
      methods.add(Method.FULL);
    }
    for (Method method : methods) {
      Mlp mlp = new Mlp(List.of(IN, OUT)); // no ReLU, which has no derivative at 0
      try (BaseModel base = BaseModel.fromScratch(mlp)) {
        AdaptedWeights weights =
            new AdaptedWeights(
                base,
                Adaptations.of(base, recipe(method, view, generator, storedBasis, 0), 0),
                Kernels.vector());
        loss(weights, mlp, true);
        for (Parameter parameter : weights.parameters()) {
          for (int i = 0; i < parameter.values().length; i += 5) {
            float value = parameter.values()[i];
            float h = 0.05f;
            parameter.values()[i] = value + h;
            double above = loss(weights, mlp, false);
            parameter.values()[i] = value - h;
            double below = loss(weights, mlp, false);
            parameter.values()[i] = value;
            assertThat((double) parameter.gradient()[i])
                .as("%s, %s, %s[%d]", method, generator, parameter.name(), i)
                .isCloseTo((above - below) / (2 * h), within(2e-3));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void gpuHasTheLossAndTheGradientsOfTheCpu(Generator generator) throws IOException {
    try (StandInDriver _ = StandInDriver.use();
        CudaDevice device = CudaDevice.open()) {
      for (Method method : methods(generator)) {
        for (int quantizationAwareBits : new int[] {0, 4}) {
          requireSameBits(device, recipe(method, generator, false, quantizationAwareBits));
        }
      }
    }
  }

  private static void requireSameBits(CudaDevice device, Recipe recipe) throws IOException {
    Mlp mlp = new Mlp(List.of(IN, 11, OUT));
    try (BaseModel base = BaseModel.fromScratch(mlp);
        AdaptedWeights onCpu =
            new AdaptedWeights(base, Adaptations.of(base, recipe, 0), Kernels.scalar());
        AdaptedWeights onGpu =
            new AdaptedWeights(base, Adaptations.of(base, recipe, 0), Kernels.scalar())) {
      onGpu.use(device);
      for (int step = 0; step < 3; step++) {
        assertThat(loss(onGpu, mlp, true)).isEqualTo(loss(onCpu, mlp, true));
        for (int p = 0; p < onCpu.parameters().size(); p++) {
          Parameter expected = onCpu.parameters().get(p);
          Parameter actual = onGpu.parameters().get(p);
          assertThat(actual.gradient()).as(actual.name()).isEqualTo(expected.gradient());
          assertThat(actual.gradient()).as(actual.name()).isNotEqualTo(new float[0]);
          for (Parameter parameter : List.of(expected, actual)) {
            for (int i = 0; i < parameter.values().length; i++) {
              parameter.values()[i] -= 0.1f * parameter.gradient()[i];
            }
            Arrays.fill(parameter.gradient(), 0);
          }
        }
      }
    }
  }

  /** Compares with the paper's own code: the basis in memory, and autograd for the coefficients. */
  @ParameterizedTest
  @EnumSource(Generator.class)
  void gradientsEqualThoseOfAStoredBasis(Generator generator) throws IOException {
    for (Method method : methods(generator)) {
      for (int quantizationAwareBits : new int[] {0, 4, 1}) {
        requireGradientsOfAStoredBasis(method, generator, quantizationAwareBits);
      }
    }
  }

  private static void requireGradientsOfAStoredBasis(
      Method method, Generator generator, int quantizationAwareBits) throws IOException {
    Mlp mlp = new Mlp(List.of(IN, 11, OUT));
    try (BaseModel base = BaseModel.fromScratch(mlp)) {
      AdaptedWeights generated =
          new AdaptedWeights(
              base,
              Adaptations.of(base, recipe(method, generator, false, quantizationAwareBits), 0),
              Kernels.vector());
      AdaptedWeights stored =
          new AdaptedWeights(
              base,
              Adaptations.of(base, recipe(method, generator, true, quantizationAwareBits), 0),
              Kernels.vector());
      assertThat(loss(generated, mlp, true)).isCloseTo(loss(stored, mlp, true), within(1e-5));
      for (int p = 0; p < stored.parameters().size(); p++) {
        Parameter expected = stored.parameters().get(p);
        Parameter actual = generated.parameters().get(p);
        assertThat(actual.values()).isEqualTo(expected.values());
        assertThat(actual.gradient())
            .as("%s, %s, %d bits, %s", method, generator, quantizationAwareBits, actual.name())
            .containsExactly(expected.gradient(), within(1e-5f));
      }
    }
  }
}
