package dev.nola.client.peft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModulePathsTest {
  @ParameterizedTest
  @CsvSource({
    "h.0.attn.c_attn, transformer.h.0.attn.c_attn, h.0.attn.c_attn",
    "transformer.h.0.attn.c_attn, transformer.h.0.attn.c_attn, h.0.attn.c_attn",
    "layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
    "model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
    "model.layers, model.layers, layers",
    "norm, model.norm, norm",
    "lm_head, lm_head, lm_head",
    "score, score, score",
    "bert.encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense",
    "model.decoder.layers.0.fc1, model.decoder.layers.0.fc1, model.decoder.layers.0.fc1",
  })
  void theTransformerIsWhereTheLoadedModelKeepsIt(String module, String withHead, String bare) {
    assertThat(new ModulePaths(null, false, null).of(module)).isEqualTo(withHead);
    assertThat(new ModulePaths(null, true, null).of(module)).isEqualTo(bare);
  }

  @Test
  void aPrefixGivenIsPutBeforeEveryName() {
    assertThat(new ModulePaths("gpt_neox.", false, null).of("layers.0.x"))
        .isEqualTo("gpt_neox.layers.0.x");
    assertThat(new ModulePaths("", true, null).of("model.layers.0.x"))
        .isEqualTo("model.layers.0.x");
  }

  @ParameterizedTest
  @CsvSource({
    "BERT, encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense",
    "BERT, bert.encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense",
    "BERT, pooler.dense, bert.pooler.dense",
    "BERT, classifier, classifier",
    "LLAMA, layers.1.mlp.up_proj, model.layers.1.mlp.up_proj",
    "LLAMA, model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj",
    "LLAMA, score, score",
    "VIT, encoder.layer.0.output.dense, vit.encoder.layer.0.output.dense",
    "VIT, classifier, classifier",
  })
  void modelOfAStatedHead_keepsTransformerAndClassifierApart(
      HeadClass head, String module, String path) {
    assertThat(new ModulePaths(null, false, head).of(module)).isEqualTo(path);
  }
}
