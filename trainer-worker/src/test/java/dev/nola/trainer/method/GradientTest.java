package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.re2j.Pattern;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.data.Minibatch;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.nio.FloatBuffer;
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

  private static Recipe recipe(Method method, Generator generator) {
    return new Recipe(method, Pattern.compile("."), RANK, K, K - 2, generator, false, 11, 1.3, 0);
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

  /** The loss, and with {@code record} the gradients in the parameters. */
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
  @EnumSource(Generator.class)
  void gradientsAreFiniteDifferences(Generator generator) {
    for (Method method : List.of(Method.NOLA, Method.PRANC, Method.LORA, Method.FULL)) {
      Mlp mlp = new Mlp(List.of(IN, OUT)); // no ReLU, which has no derivative at 0
      try (BaseModel base = BaseModel.fromScratch(mlp)) {
        AdaptedWeights weights =
            new AdaptedWeights(
                base, Adaptations.of(base, recipe(method, generator), 0), Kernels.vector());
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
  void gradientsAreThoseOfAStoredBasis(Generator generator) {
    Kernel kernel = Kernels.vector();
    Basis basis = new Basis(generator, 5, 3, Side.A, OUT * RANK);
    Random random = new Random(4);
    float[] coefficients = new float[K];
    float[] gradientOfFactor = new float[OUT * RANK];
    for (int i = 0; i < K; i++) {
      coefficients[i] = (float) random.nextGaussian();
    }
    for (int e = 0; e < gradientOfFactor.length; e++) {
      gradientOfFactor[e] = (float) random.nextGaussian();
    }
    BasisSide side = new BasisSide(basis, new Parameter("alpha", coefficients));
    float[] factor = side.factor(kernel, BasisSide.TRAINING_BITS, 1);
    side.backward(kernel, gradientOfFactor, 1);

    // The same through autograd, with the basis vectors as the rows of a matrix.
    try (NDManager manager = Tensors.newManager()) {
      Tensors.recordGradients(true);
      float[] stored = new float[K * factor.length];
      for (int i = 0; i < K; i++) {
        float[] row = vector(kernel, basis, i);
        for (int e = 0; e < row.length; e++) {
          stored[i * row.length + e] = (float) (row[e] * side.norm());
        }
      }
      NDArray matrix =
          manager.create(FloatBuffer.wrap(stored), new Shape(K, factor.length), DataType.FLOAT32);
      NDArray leaf =
          manager.create(FloatBuffer.wrap(coefficients), new Shape(1, K), DataType.FLOAT32);
      leaf.setRequiresGradient(true);
      NDArray product = leaf.matMul(matrix);
      float[] expected = product.toFloatArray();
      NDArray outer =
          manager.create(FloatBuffer.wrap(gradientOfFactor), product.getShape(), DataType.FLOAT32);
      Tensors.backward(product.mul(outer).sum());
      Tensors.recordGradients(false);
      float[] gradient = leaf.getGradient().toFloatArray();
      for (int e = 0; e < expected.length; e++) {
        assertThat(factor[e])
            .as("%s, element %d", generator, e)
            .isCloseTo(expected[e], within(3e-4f));
      }
      for (int i = 0; i < K; i++) {
        assertThat(side.coefficients().gradient()[i])
            .as("%s, coefficient %d", generator, i)
            .isCloseTo(gradient[i], within(1e-4f));
      }
    }
  }

  /** Basis vector i: what is left of the sum of two when that of both but i is taken away. */
  private static float[] vector(Kernel kernel, Basis basis, int i) {
    int[] three = new int[K];
    int[] one = new int[K];
    java.util.Arrays.fill(three, 1);
    java.util.Arrays.fill(one, 1);
    three[i] = 3;
    float[] with = new float[basis.length()];
    float[] without = new float[basis.length()];
    kernel.combine(basis, three, 1, with);
    kernel.combine(basis, one, 1, without);
    for (int e = 0; e < with.length; e++) {
      with[e] = (float) (((double) with[e] - without[e]) / 2);
    }
    return with;
  }
}
