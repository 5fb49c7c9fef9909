package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Gradients of coefficients, found without a stored basis. */
class GradientTest {
  private static final int IN = 14;
  private static final int OUT = 9;
  private static final int RANK = 3;
  private static final int K = 12;

  private static Recipe recipe(Method method, Generator generator, boolean storedBasis) {
    return new Recipe(
        method,
        Pattern.compile("."),
        new Recipe.Size(RANK, K, K - 2),
        new Recipe.Bases(generator, 11, false, storedBasis),
        1.3,
        0);
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
  private static double loss(AdaptedWeights weights, Mlp mlp, boolean record) {
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
  @EnumSource(value = Generator.class, names = "IDENTITY", mode = EnumSource.Mode.EXCLUDE)
  void gradientsAreFiniteDifferences(Generator generator) {
    requireFiniteDifferences(generator, false);
  }

  @ParameterizedTest
  @EnumSource(value = Generator.class, names = "IDENTITY", mode = EnumSource.Mode.EXCLUDE)
  void gradientsByAStoredBasis_areFiniteDifferences(Generator generator) {
    requireFiniteDifferences(generator, true);
  }

  private static void requireFiniteDifferences(Generator generator, boolean storedBasis) {
    for (Method method : List.of(Method.NOLA, Method.PRANC, Method.LORA, Method.FULL)) {
      Mlp mlp = new Mlp(List.of(IN, OUT)); // no ReLU, which has no derivative at 0
      try (BaseModel base = BaseModel.fromScratch(mlp)) {
        AdaptedWeights weights =
            new AdaptedWeights(
                base,
                Adaptations.of(base, recipe(method, generator, storedBasis), 0),
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

  /** Compares with the paper's own code: the basis in memory, and autograd for the coefficients. */
  @ParameterizedTest
  @EnumSource(value = Generator.class, names = "IDENTITY", mode = EnumSource.Mode.EXCLUDE)
  void gradientsEqualThoseOfAStoredBasis(Generator generator) {
    Mlp mlp = new Mlp(List.of(IN, 11, OUT));
    for (Method method : List.of(Method.NOLA, Method.PRANC)) {
      try (BaseModel base = BaseModel.fromScratch(mlp)) {
        AdaptedWeights generated =
            new AdaptedWeights(
                base, Adaptations.of(base, recipe(method, generator, false), 0), Kernels.vector());
        AdaptedWeights stored =
            new AdaptedWeights(
                base, Adaptations.of(base, recipe(method, generator, true), 0), Kernels.vector());
        assertThat(loss(generated, mlp, true)).isCloseTo(loss(stored, mlp, true), within(1e-5));
        for (int p = 0; p < stored.parameters().size(); p++) {
          Parameter expected = stored.parameters().get(p);
          Parameter actual = generated.parameters().get(p);
          assertThat(actual.values()).isEqualTo(expected.values());
          assertThat(actual.gradient())
              .as("%s, %s, %s", method, generator, actual.name())
              .containsExactly(expected.gradient(), within(1e-5f));
        }
      }
    }
  }
}
