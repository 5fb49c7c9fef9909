package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DropoutTest {
  private static final int SIZE = 100_003;

  private static float[] mask(long seed, int target, long step, int part) {
    Dropout dropout = new Dropout(0.25, seed, target);
    dropout.moveTo(step, part);
    return dropout.mask(SIZE);
  }

  @Test
  void shareIsDropped_andTheMeanIsKept() {
    float[] mask = mask(7, 2, 3, 0);
    float kept = (float) (1 / 0.75);
    long dropped = IntStream.range(0, SIZE).filter(i -> mask[i] == 0).count();
    assertThat((double) dropped / SIZE).isCloseTo(0.25, within(0.005));
    assertThat(IntStream.range(0, SIZE).allMatch(i -> mask[i] == 0 || mask[i] == kept)).isTrue();
    double mean = IntStream.range(0, SIZE).mapToDouble(i -> mask[i]).average().orElseThrow();
    assertThat(mean).isCloseTo(1, within(0.01));
    assertThat(mask(7, 2, 3, 0)).isEqualTo(mask);
    assertThat(
            Arrays.asList(mask(8, 2, 3, 0), mask(7, 1, 3, 0), mask(7, 2, 4, 0), mask(7, 2, 3, 8)))
        .noneMatch(other -> Arrays.equals(other, mask));
  }

  /** The base's product has the whole input, ΔW's that of the mask; evaluations drop nothing. */
  @ParameterizedTest
  @EnumSource(View.class)
  void inputOfTheChange_isMaskedInTrainingAlone(View view) throws Exception {
    Recipe recipe =
        new Recipe(
            Method.NOLA,
            Pattern.compile("layers\\.0\\.mlp\\.up"),
            new Recipe.Size(view, 2, 8, 8),
            new Recipe.Bases(Generator.SRHT, 5, false, false),
            Scaling.of(1),
            new Recipe.Training(Recipe.Rounding.NONE, 0.5, 5));
    String module = "model.layers.0.mlp.up_proj";
    try (BaseModel base = BaseModel.load(Path.of("src/test/resources/models/llama-untied"));
        NDManager step = Tensors.newManager()) {
      AdaptedWeights weights =
          new AdaptedWeights(base, Adaptations.of(base, recipe, 0), Kernels.scalar());
      weights.parameters().forEach(parameter -> Arrays.fill(parameter.values(), 0.5f));
      weights.prepare();
      NDArray x = Tensors.create(step, new float[] {1}, 1, 1).broadcast(3, 32).duplicate();

      weights.begin(step, false);
      float[] evaluated = weights.linear(x, module).toFloatArray();
      NDArray delta = weights.adaptations().getFirst().tensor(null);
      weights.dropAt(4, 0);
      weights.begin(step, true);
      float[] trained = weights.linear(x, module).toFloatArray();

      Dropout dropout = new Dropout(0.5, 5, 0);
      dropout.moveTo(4, 0);
      NDArray masked = x.mul(Tensors.create(step, dropout.mask(96), 3, 32));
      float[] expected =
          Tensors.linear(x, base.tensor(module + ".weight"), null)
              .add(Tensors.linear(masked, delta, null))
              .toFloatArray();
      assertThat(trained).containsExactly(expected, within(1e-4f)).isNotEqualTo(evaluated);
      assertThat(evaluated)
          .containsExactly(
              Tensors.linear(x, delta.add(base.tensor(module + ".weight")), null).toFloatArray(),
              within(1e-4f));
    }
  }
}
