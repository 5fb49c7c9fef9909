package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.client.safetensors.Model;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Names under which a base model has the tensors that an adapter adapts, and tied embeddings. */
class MergeNamesTest {
  private static final String INPUT = "model.embed_tokens.weight";
  private static final String OUTPUT = "lm_head.weight";

  @TempDir private Path folder;

  private static AdapterFile adapter(String... tensors) throws IOException {
    Codes codes = Codes.of(4, 1, 15, 3);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(1);
    int stream = 0;
    for (String tensor : tensors) {
      adapter.layer(Layer.ofMatrix(tensor, 3, 4, stream++, 0x1p-8f, new LowRank(1, codes, codes)));
    }
    return Reconstructor.standard().seal(adapter.build());
  }

  private ModelMerge.Report merge(Path base, AdapterFile adapter) throws Exception {
    return ModelMerge.into(base).adapter(adapter).build().write(folder.resolve("merged"));
  }

  private JsonNode mergedConfig() throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("merged/config.json")));
  }

  private boolean changes(Path base, String tensor) throws IOException {
    try (Model before = Model.open(base);
        Model after = Model.open(folder.resolve("merged"))) {
      return before.tensors().get(tensor).data().mismatch(after.tensors().get(tensor).data()) != -1;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "model.layers.0.q.weight, _orig_mod.model.layers.0.q.weight",
    "model.layers.0.q.weight, base_model.model.model.layers.0.q.weight",
    "model.layers.0.q.weight, model.language_model.layers.0.q.weight",
    "model.layers.0.q.weight, language_model.model.layers.0.q.weight",
    "model.layers.0.q.weight, model.layers._orig_mod.0.q.weight",
    "base_model.model.model.layers.0.q.weight, model.layers.0.q.weight",
    "_orig_mod.layers.0.q.weight, model.layers.0.q.weight",
    "encoder.layer.0.q.weight, bert.encoder.layer.0.q.weight",
    "bert.encoder.layer.0.q.weight, encoder.layer.0.q.weight",
    "transformer.layer.0.q.weight, distilbert.transformer.layer.0.q.weight",
    "layers.0.q.weight, gpt_neox.layers.0.q.weight",
    "decoder.layers.0.q.weight, model.decoder.layers.0.q.weight",
  })
  void tensorIsFoundUnderAnotherPrefix(String adapted, String stored) throws Exception {
    Path base =
        new TestModel()
            .with(stored, DType.F32, 3, 4)
            .with("visual.blocks.0.q.weight", DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{}");
    assertThat(merge(base, adapter(adapted)).merged()).isOne();
    assertThat(changes(base, stored)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "bert.encoder.layer.0.q.weight, roberta.encoder.layer.0.q.weight",
    "transformer.layers.0.q.weight, model.layers.0.q.weight",
    "encoder.layers.0.q.weight, visual.encoder.layers.0.q.weight",
    "model.layers.0.attn.q.weight, model.layers.0.self_attn.inner.attn.q.weight",
  })
  void similarTensorIsOnlySuggested(String adapted, String stored) throws Exception {
    Path base =
        new TestModel()
            .with(stored, DType.F32, 3, 4)
            .with("other.q.weight", DType.F32, 3, 4)
            .with("wide." + adapted, DType.F32, 4, 4)
            .writeFolder(folder.resolve("base"), "{}");
    AdapterFile adapter = adapter(adapted);
    MergeRefusedException refused =
        catchThrowableOfType(MergeRefusedException.class, () -> merge(base, adapter));
    assertThat(refused.details())
        .containsExactly(
            adapted
                + " [3, 4]: the base model has no such tensor; the only tensor of this shape whose"
                + " name ends alike is "
                + stored);
  }

  @Test
  void nothingIsSuggestedIfSeveralTensorsFit() throws Exception {
    Path base =
        new TestModel()
            .with("one.q.weight", DType.F32, 3, 4)
            .with("two.q.weight", DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{}");
    AdapterFile adapter = adapter("three.q.weight");
    MergeRefusedException refused =
        catchThrowableOfType(MergeRefusedException.class, () -> merge(base, adapter));
    assertThat(refused.details())
        .containsExactly("three.q.weight [3, 4]: the base model has no such tensor");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'tie_word_embeddings': true}",
        "{'text_config': {'tie_word_embeddings': true}}",
        "{'text_config': {'x': 1}, 'tie_word_embeddings': true}",
        "{'audio_config': {'tie_word_embeddings': true}, 'tie_word_embeddings': true}",
        "{}",
      })
  void changedOutputIsUntiedAlsoIfItIsStored(String config) throws Exception {
    Path base =
        new TestModel()
            .with(INPUT, DType.F32, 3, 4)
            .with(OUTPUT, DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), config.replace('\'', '"'));
    ModelMerge.Report report = merge(base, adapter(OUTPUT));
    assertThat(changes(base, INPUT)).isFalse();
    assertThat(changes(base, OUTPUT)).isTrue();
    assertThat(mergedConfig().findValues("tie_word_embeddings"))
        .isNotEmpty()
        .allMatch(tied -> !tied.asBoolean());
    assertThat(mergedConfig().path("tie_word_embeddings").isBoolean()).isTrue();
    assertThat(report.warnings().stream().anyMatch(warning -> warning.contains("was tied")))
        .isEqualTo(config.contains("true"));
  }

  @Test
  void outputOfAWrapperThatIsNotStoredIsUntiedInEveryConfig() throws Exception {
    Path base =
        new TestModel()
            .with("model.language_model.embed_tokens.weight", DType.F32, 3, 4)
            .writeFolder(
                folder.resolve("base"), "{\"text_config\": {\"tie_word_embeddings\": true}}");
    merge(base, adapter(OUTPUT));
    assertThat(mergedConfig().path("tie_word_embeddings").asBoolean(true)).isFalse();
    assertThat(mergedConfig().path("text_config").path("tie_word_embeddings").asBoolean(true))
        .isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "true, false, is tied",
    "true, true, is tied",
    ", false, may be tied",
    ", true, ",
    "false, false, ",
    "false, true, ",
  })
  void changedInputIsSaidToChangeTheTiedOutput(Boolean tied, boolean isStored, String said)
      throws Exception {
    TestModel model = new TestModel().with(INPUT, DType.F32, 3, 4);
    if (isStored) {
      model.with(OUTPUT, DType.F32, 3, 4);
    }
    String config = tied == null ? "{}" : "{\"tie_word_embeddings\": %s}".formatted(tied);
    Path base = model.writeFolder(folder.resolve("base"), config);
    ModelMerge.Report report = merge(base, adapter(INPUT));
    String warnings = String.join("\n", report.warnings());
    assertThat(warnings.contains(INPUT)).isEqualTo(said != null);
    assertThat(warnings).contains(said == null ? "" : "the output embedding " + said);
    assertThat(mergedConfig()).isEqualTo(JsonMapper.shared().readTree(config));
  }

  @Test
  void nothingIsSaidOfTheInputIfTheOutputChangesAsWell() throws Exception {
    Path base =
        new TestModel()
            .with(INPUT, DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{\"tie_word_embeddings\": true}");
    ModelMerge.Report report = merge(base, adapter(INPUT, OUTPUT));
    assertThat(report.warnings()).filteredOn(said -> said.contains("embedding")).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "BertForSequenceClassification, false",
    "BertModel, false",
    "GPT2LMHeadModel, true",
    "LlamaForCausalLM, true"
  })
  void changedInput_isSaidToChangeTheOutputOnlyOfClassesThatHaveOne(String name, boolean isSaid)
      throws Exception {
    Path base =
        new TestModel()
            .with(INPUT, DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{\"architectures\": [\"%s\"]}".formatted(name));
    assertThat(
            merge(base, adapter(INPUT)).warnings().stream()
                .anyMatch(warning -> warning.contains("tied to this input embedding")))
        .isEqualTo(isSaid);
  }
}
