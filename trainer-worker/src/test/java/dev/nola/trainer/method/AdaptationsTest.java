package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class AdaptationsTest {
  @ParameterizedTest
  @EnumSource(value = Method.class, names = "HEAD", mode = Mode.EXCLUDE)
  void matrixLargerThanAnArray_isRefused(Method method) {
    Recipe recipe =
        new Recipe(
            method,
            Pattern.compile("."),
            new Recipe.Size(View.LAYER, 70_000, 8, 8),
            new Recipe.Bases(
                method == Method.LORA ? Generator.IDENTITY : Generator.SRHT, 5, false, false),
            Scaling.of(1),
            Recipe.Rounding.NONE);
    try (BaseModel base = BaseModel.fromScratch(new Mlp(List.of(70_000, 70_000)))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Adaptations.of(base, recipe, 0))
          .withMessageContaining("layers.0.weight")
          .withMessageContaining(
              "70000×70000 has 4900000000 elements; must have at most 2147483639");
    }
  }

  /** ΔW of the paper's code: c/r·(Σ αᵢUᵢ/√k)·(Σ βⱼUⱼ/√l), with U uniform in ±1. */
  @Test
  void scalingOfThePaper_isThatOfItsCode() {
    int out = 8;
    int in = 18;
    int rank = 3;
    Recipe recipe =
        new Recipe(
            Method.NOLA,
            Pattern.compile("."),
            new Recipe.Size(View.LAYER, rank, 12, 10),
            new Recipe.Bases(Generator.UNIFORM24, 5, false, false),
            new Scaling(0.7, true),
            Recipe.Rounding.NONE);
    try (BaseModel base = BaseModel.fromScratch(new Mlp(List.of(in, out)));
        NDManager step = Tensors.newManager()) {
      AdaptedWeights weights =
          new AdaptedWeights(base, Adaptations.of(base, recipe, 0), Kernels.scalar());
      weights.prepare();
      weights.begin(step, false);
      float[] delta = weights.tensor("layers.0.weight").toFloatArray();
      double[] a = factor(weights, 0, Side.A, out * rank);
      double[] b = factor(weights, 1, Side.B, rank * in);
      for (int i = 0; i < delta.length; i++) {
        double sum = 0;
        for (int t = 0; t < rank; t++) {
          sum += a[i / in * rank + t] * b[t * in + i % in];
        }
        assertThat((double) delta[i]).isCloseTo(0.7 / rank * sum, within(1e-4));
      }
      assertThat(delta).satisfies(values -> assertThat(Math.abs(values[0])).isGreaterThan(1e-3f));
    }
  }

  /** Returns Σ cᵢUᵢ/√k of the parameter's coefficients c. */
  private static double[] factor(AdaptedWeights weights, int parameter, Side side, int length) {
    float[] coefficients = weights.parameters().get(parameter).values();
    Basis basis = new Basis(Generator.UNIFORM24, 5, 0, side, length);
    double[] factor = new double[length];
    int[] integers = new int[length];
    for (int i = 0; i < coefficients.length; i++) {
      basis.vector(i, 0, length, integers);
      for (int e = 0; e < length; e++) {
        factor[e] += coefficients[i] * integers[e] / 0x1p24 / Math.sqrt(coefficients.length);
      }
    }
    return factor;
  }

  @ParameterizedTest
  @CsvSource({"LORA, SRHT", "NOLA, IDENTITY", "PRANC, IDENTITY", "FULL, IDENTITY"})
  void generatorOfAnotherMethod_isRefused(Method method, Generator generator) {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new Recipe(
                    method,
                    Pattern.compile("."),
                    new Recipe.Size(View.LAYER, 2, 8, 8),
                    new Recipe.Bases(generator, 5, false, false),
                    Scaling.of(1),
                    Recipe.Rounding.NONE))
        .withMessageContaining("invalid generator of " + method + ": " + generator);
  }
}
