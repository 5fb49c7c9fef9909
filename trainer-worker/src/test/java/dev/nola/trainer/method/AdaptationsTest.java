package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.re2j.Pattern;
import dev.nola.generator.Generator;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import java.util.List;
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
