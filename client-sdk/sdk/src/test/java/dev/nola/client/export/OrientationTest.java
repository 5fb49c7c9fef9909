package dev.nola.client.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrientationTest {
  @ParameterizedTest
  @CsvSource({
    "c_attn, 16, 48, true",
    "c_attn, 48, 16, false",
    "c_fc, 16, 64, true",
    "c_fc, 64, 16, false",
    "c_proj, 64, 16, true",
    "c_proj, 16, 64, false",
    "q_proj, 16, 48, false",
  })
  void withoutABaseShapesTell(String module, int rows, int cols, boolean isConv1d)
      throws Exception {
    Layer layer = layer(module, rows, cols);

    assertThat(Orientation.AUTO.decide(List.of(layer), BaseConfig.ofType(null)).test(layer))
        .isEqualTo(isConv1d);
  }

  @Test
  void oneShapeTellsForAllSuchWeightsAndForNoOther() throws Exception {
    Layer square = layer("c_proj", 16, 16);
    Layer head = layer("lm_head", 100, 16);

    var decision =
        Orientation.AUTO.decide(
            List.of(square, layer("c_attn", 16, 48), head), BaseConfig.ofType(null));

    assertThat(decision.test(square)).isTrue();
    assertThat(decision.test(head)).isFalse();
  }

  @Test
  void whatNothingTellsIsRefused() {
    Layer square = layer("c_proj", 16, 16);
    List<Layer> contradicting = List.of(layer("c_attn", 16, 48), layer("c_attn", 48, 16));

    for (List<Layer> layers : List.of(List.of(square), contradicting)) {
      assertThatExceptionOfType(ExportRefusedException.class)
          .isThrownBy(() -> Orientation.AUTO.decide(layers, BaseConfig.ofType(null)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.ORIENTATION));
    }
  }

  @ParameterizedTest
  @CsvSource({"gpt2, true", "openai-gpt, true", "qwen, false", "gpt_bigcode, false"})
  void theModelTypeTells(String modelType, boolean isConv1d) throws Exception {
    Layer square = layer("c_proj", 16, 16);

    assertThat(Orientation.AUTO.decide(List.of(square), BaseConfig.ofType(modelType)).test(square))
        .isEqualTo(isConv1d);
  }

  @Test
  void partOfTheModelTells() throws Exception {
    BaseConfig config =
        new BaseConfig(
            "encoder-decoder",
            Map.of("h", BaseConfig.ofType("gpt2"), "encoder", BaseConfig.ofType("bert")));
    Layer square = layer("c_proj", 16, 16);

    assertThat(Orientation.AUTO.decide(List.of(square), config).test(square)).isTrue();
  }

  @Test
  void whoeverAsksForAnOrientationGetsIt() throws Exception {
    Layer layer = layer("anything", 16, 48);

    assertThat(Orientation.CONV1D.decide(List.of(layer), BaseConfig.ofType("llama")).test(layer))
        .isTrue();
    assertThat(Orientation.LINEAR.decide(List.of(layer), BaseConfig.ofType("gpt2")).test(layer))
        .isFalse();
  }

  private static Layer layer(String module, int rows, int cols) {
    Codes codes = Codes.of(4, 1, 2, 3);
    return Layer.ofMatrix(
        "h.0." + module + ".weight", rows, cols, 0, 1, new LowRank(2, codes, codes));
  }
}
