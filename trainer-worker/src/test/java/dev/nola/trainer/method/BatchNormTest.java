package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.ResNet;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Compares BatchNorm with recorded values of PyTorch's {@code F.batch_norm}. */
class BatchNormTest {
  private static final int CHANNELS = 16;

  private static AdaptedWeights weights(BaseModel base) {
    Recipe recipe =
        new Recipe(
            Method.FULL,
            Pattern.compile("x"),
            new Recipe.Size(View.SQUARE, 1, 1, 1),
            new Recipe.Bases(Generator.SRHT, 0, false, false),
            Scaling.of(1),
            Recipe.Rounding.NONE);
    return new AdaptedWeights(base, Adaptations.of(base, recipe, 2), Kernels.scalar());
  }

  /** Every channel has 1, 2, 3 in one image, and 7, 8, 9 in the other; returns the first's. */
  private static float[] normalized(AdaptedWeights weights, boolean training) {
    float[] values = new float[2 * CHANNELS * 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = 1 + i % 3 + (i < values.length / 2 ? 0 : 6);
    }
    try (NDManager step = Tensors.newManager()) {
      weights.begin(step, training);
      Tensors.recordGradients(training);
      NDArray y = weights.batchNorm(Tensors.create(step, values, 2, CHANNELS, 3, 1), "bn1");
      if (training) {
        Tensors.backward(y.sum());
        weights.collect();
      }
      Tensors.recordGradients(false);
      return Arrays.copyOf(y.toFloatArray(), 3);
    }
  }

  private static float[] statistic(AdaptedWeights weights, String name) {
    return weights.statistics().stream()
        .filter(statistic -> statistic.name().equals(name))
        .findFirst()
        .orElseThrow()
        .values();
  }

  @Test
  void trainingNormalizesByTheBatch_evaluationByTheBatchesSoFar() {
    try (BaseModel base = BaseModel.fromScratch(new ResNet(ResNet.Kind.RESNET20))) {
      AdaptedWeights weights = weights(base);
      assertThat(normalized(weights, false)).containsExactly(new float[] {1, 2, 3}, within(1e-4f));
      assertThat(statistic(weights, "bn1.running_mean")).containsOnly(0);
      assertThat(normalized(weights, true))
          .containsExactly(new float[] {-1.2865343f, -0.9649007f, -0.6432672f}, within(1e-6f));
      assertThat(statistic(weights, "bn1.running_mean")).containsOnly(0.5f);
      assertThat(statistic(weights, "bn1.running_var")).containsOnly(2.06f);
      assertThat(normalized(weights, false))
          .containsExactly(new float[] {0.3483657f, 1.0450970f, 1.7418283f}, within(1e-6f));
      assertThat(statistic(weights, "bn1.running_mean")).containsOnly(0.5f);
      assertThat(weights.parameters())
          .extracting(Parameter::name)
          .containsAll(List.of("bn1.weight", "bn1.bias"))
          .doesNotContain("bn1.running_mean", "bn1.running_var");
    }
  }
}
