package dev.nola.client.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModulePathsTest {
  @ParameterizedTest
  @CsvSource({
    "h.0.attn.c_attn, transformer.h.0.attn.c_attn, h.0.attn.c_attn",
    "transformer.h.0.attn.c_attn, transformer.h.0.attn.c_attn, h.0.attn.c_attn",
    "layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
    "model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
    "norm, model.norm, norm",
    "lm_head, lm_head, lm_head",
    "score, score, score",
    "fc1, fc1, fc1",
    "layers.0.attention.query_key_value, gpt_neox.layers.0.attention.query_key_value,"
        + " layers.0.attention.query_key_value",
    "bert.encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense,"
        + " encoder.layer.0.output.dense",
    "vit.encoder.layer.0.attention.attention.query, vit.layers.0.attention.q_proj,"
        + " layers.0.attention.q_proj",
    "model.decoder.layers.0.fc1, model.decoder.layers.0.fc1, decoder.layers.0.fc1",
    "language_model.model.layers.0.mlp.up_proj, model.language_model.layers.0.mlp.up_proj,"
        + " language_model.layers.0.mlp.up_proj",
    "vision_tower.vision_model.encoder.layers.0.mlp.fc1,"
        + " model.vision_tower.encoder.layers.0.mlp.fc1, vision_tower.encoder.layers.0.mlp.fc1",
    "_orig_mod.model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
    "base_model.model.lm_head, lm_head, lm_head",
    "_orig_mod.base_model.model.model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj,"
        + " layers.1.mlp.up_proj",
    "module.model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj, layers.1.mlp.up_proj",
  })
  void pathIsGuessedByNameWithoutModelType(String module, String withHead, String bare) {
    assertThat(ModulePaths.of(null, List.of(module), null).of(module)).isEqualTo(withHead);
    assertThat(ModulePaths.of(null, List.of(module), TaskType.FEATURE_EXTRACTION).of(module))
        .isEqualTo(bare);
  }

  @ParameterizedTest
  @CsvSource({
    "bert, encoder.layer.0.attention.self.query, bert.encoder.layer.0.attention.self.query",
    "roberta, encoder.layer.0.attention.self.query, roberta.encoder.layer.0.attention.self.query",
    "distilbert, transformer.layer.0.attention.q_lin,"
        + " distilbert.transformer.layer.0.attention.q_lin",
    "opt, decoder.layers.0.fc1, model.decoder.layers.0.fc1",
    "gpt_neox, layers.0.mlp.dense_h_to_4h, gpt_neox.layers.0.mlp.dense_h_to_4h",
    "bloom, h.0.self_attention.query_key_value, transformer.h.0.self_attention.query_key_value",
    "t5, encoder.block.0.layer.0.SelfAttention.q, encoder.block.0.layer.0.SelfAttention.q",
    "bart, encoder.layers.0.self_attn.q_proj, model.encoder.layers.0.self_attn.q_proj",
    "mamba, layers.0.mixer.in_proj, backbone.layers.0.mixer.in_proj",
    "vit, encoder.layer.0.intermediate.dense, vit.layers.0.mlp.fc1",
    "dinov2, encoder.layer.0.attention.attention.key, dinov2.encoder.layer.0.attention.k_proj",
    "swin, encoder.layers.0.blocks.0.output.dense, swin.encoder.layers.0.blocks.0.mlp.fc2",
    "llava, language_model.layers.0.self_attn.q_proj,"
        + " model.language_model.layers.0.self_attn.q_proj",
    "llava, vision_tower.vision_model.encoder.layers.0.mlp.fc1,"
        + " model.vision_tower.encoder.layers.0.mlp.fc1",
    "qwen2_vl, model.layers.0.self_attn.q_proj, model.language_model.layers.0.self_attn.q_proj",
    "qwen2_vl, visual.blocks.0.attn.qkv, model.visual.blocks.0.attn.qkv",
    "mixtral, model.layers.0.block_sparse_moe.gate, model.layers.0.mlp.gate",
    "unheard-of, encoder.layer.0.x, encoder.layer.0.x",
  })
  void pathFollowsFromModelType(String type, String module, String path) {
    assertThat(ModulePaths.of(type, List.of(module), null).of(module)).isEqualTo(path);
    assertThat(ModulePaths.of(type, List.of(path), null).of(path)).isEqualTo(path);
  }

  @ParameterizedTest
  @CsvSource({
    "t5, SEQ_CLS, encoder.block.0.layer.0.SelfAttention.q,"
        + " transformer.encoder.block.0.layer.0.SelfAttention.q",
    "t5, SEQ_2_SEQ_LM, encoder.block.0.layer.0.SelfAttention.q,"
        + " encoder.block.0.layer.0.SelfAttention.q",
    "t5, TOKEN_CLS, transformer.encoder.block.0.x, transformer.encoder.block.0.x",
    "llama, QUESTION_ANS, model.layers.0.mlp.up_proj, transformer.layers.0.mlp.up_proj",
    "llama, QUESTION_ANS, layers.0.mlp.up_proj, transformer.layers.0.mlp.up_proj",
    "llama, TOKEN_CLS, layers.0.mlp.up_proj, model.layers.0.mlp.up_proj",
    "bert, FEATURE_EXTRACTION, bert.encoder.layer.0.x, encoder.layer.0.x",
  })
  void prefixDependsOnTheTask(String type, TaskType task, String module, String path) {
    assertThat(ModulePaths.of(type, List.of(module), task).of(module)).isEqualTo(path);
  }

  @Test
  void modulesOfTheHeadStayWhereTheyAre() {
    List<String> bare = List.of("encoder.layer.0.attention.self.query", "classifier");
    ModulePaths paths = ModulePaths.of("bert", bare, null);
    assertThat(paths.of("classifier")).isEqualTo("classifier");
    assertThat(paths.of("pooler.dense")).isEqualTo("bert.pooler.dense");
    List<String> whole = List.of("bert.encoder.layer.0.attention.self.query", "dropout.x");
    assertThat(ModulePaths.of("bert", whole, null).of("dropout.x")).isEqualTo("dropout.x");
  }

  @Test
  void prefixIsPutBeforeEveryName() {
    assertThat(ModulePaths.prefixed("gpt_neox.").of("layers.0.x")).isEqualTo("gpt_neox.layers.0.x");
    assertThat(ModulePaths.prefixed("").of("model.layers.0.x")).isEqualTo("model.layers.0.x");
  }

  @Test
  void renamedNameIsNotChangedOtherwise() {
    List<String> modules = List.of("encoder.layer.0.x", "encoder.layer.0.attention.y");
    ModulePaths paths =
        ModulePaths.of("bert", modules, null)
            .renamed(List.of(Rename.parse("encoder.layer=my.encoder"), Rename.parse("0.x=0.z")));
    assertThat(paths.of("encoder.layer.0.x")).isEqualTo("my.encoder.0.z");
    assertThat(paths.of("my_encoder.layer.0.x")).isEqualTo("my_encoder.layer.0.z");
    assertThat(paths.of("pooler.dense")).isEqualTo("bert.pooler.dense");
    assertThat(paths.withNames(Map.of("a", "pooler.dense")).of("a")).isEqualTo("bert.pooler.dense");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "=b", "a=", "a..b=c", "a=b=c", ".a=b", "a=b.", "a b=c"})
  void invalidRenameIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Rename.parse(text))
        .withMessageContaining("must be FROM=TO");
  }

  @Test
  void namesOfSeveralTypesAreAmbiguous() {
    List<String> clear = List.of("bert.encoder.layer.0.x", "layers.0.self_attn.q_proj", "fc1");
    assertThat(ModulePaths.ambiguous(clear)).isEmpty();
    List<String> unclear =
        List.of(
            "encoder.layer.0.x",
            "decoder.layers.0.fc1",
            "transformer.layer.0.x",
            "layers.0.attention.q_proj");
    assertThat(ModulePaths.ambiguous(unclear)).isEqualTo(unclear);
  }

  @ParameterizedTest
  @CsvSource({
    "BERT, encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense",
    "BERT, bert.encoder.layer.0.output.dense, bert.encoder.layer.0.output.dense",
    "BERT, pooler.dense, bert.pooler.dense",
    "BERT, classifier, classifier",
    "ROBERTA, encoder.layer.0.output.dense, roberta.encoder.layer.0.output.dense",
    "XLM_ROBERTA, classifier.dense, classifier.dense",
    "ROBERTA, classifier.out_proj, classifier.out_proj",
    "ROBERTA, classifier, classifier",
    "LLAMA, layers.1.mlp.up_proj, model.layers.1.mlp.up_proj",
    "LLAMA, model.layers.1.mlp.up_proj, model.layers.1.mlp.up_proj",
    "LLAMA, score, score",
    "VIT, encoder.layer.0.intermediate.dense, vit.layers.0.mlp.fc1",
    "VIT, classifier, classifier",
  })
  void modelOfAStatedHead_keepsTransformerAndClassifierApart(
      HeadClass head, String module, String path) {
    assertThat(ModulePaths.of(head).of(module)).isEqualTo(path);
  }
}
