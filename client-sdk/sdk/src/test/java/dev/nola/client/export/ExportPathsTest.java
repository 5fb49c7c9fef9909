package dev.nola.client.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.Rename;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExportPathsTest {
  private static final String BARE = "encoder.layer.0.attention.self.query";

  @TempDir private Path folder;

  private final List<String> warnings = new ArrayList<>();

  private static Adapter adapter(String... modules) {
    Codes codes = Codes.of(4, 1, 15, 3);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(1);
    int stream = 0;
    for (String module : modules) {
      adapter.layer(
          Layer.ofMatrix(
              module + ".weight", 3, 4, stream++, 0x1p-8f, new LowRank(1, codes, codes)));
    }
    return adapter.build();
  }

  /** A base model with weights of 3×4. */
  private Path base(String config, String... tensors) throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    Files.writeString(base.resolve("config.json"), config.replace('\'', '"'));
    List<Slot> slots =
        Stream.of(tensors).map(name -> new Slot(name, "F32", List.of(3L, 4L), 48)).toList();
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(base.resolve("model.safetensors"), slots, Map.of())) {
      for (Slot slot : slots) {
        writer.write(slot.name(), MemorySegment.ofArray(new byte[48]));
      }
    }
    return base;
  }

  private ModulePaths paths(Path base, Adapter adapter, Rename... renames) throws Exception {
    ExportPaths paths = new ExportPaths(null, List.of(renames), null, null, warnings);
    try (Model model = base == null ? null : Model.openQuantized(base)) {
      return paths.of(adapter, model, BaseConfig.of(model));
    }
  }

  @ParameterizedTest
  @CsvSource({"bert, bert.", "roberta, roberta.", "electra, electra."})
  void bareModelIsFoundInTheModelOfItsType(String type, String prefix) throws Exception {
    Path base = base("{'model_type': '%s'}".formatted(type), BARE + ".weight");
    assertThat(paths(base, adapter(BARE)).of(BARE)).isEqualTo(prefix + BARE);
    assertThat(warnings).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // the adapter's name, the checkpoint's, the loaded model's
    "model.layers.0.self_attn.q_proj, language_model.model.layers.0.self_attn.q_proj,"
        + " model.language_model.layers.0.self_attn.q_proj",
    "layers.0.self_attn.q_proj, _orig_mod.model.language_model.layers.0.self_attn.q_proj,"
        + " model.language_model.layers.0.self_attn.q_proj",
    "model.language_model.layers.0.self_attn.q_proj,"
        + " language_model.model.layers.0.self_attn.q_proj,"
        + " model.language_model.layers.0.self_attn.q_proj",
  })
  void nameOfTheCheckpointCounts(String adapted, String stored, String loaded) throws Exception {
    Path base = base("{'model_type': 'llava'}", stored + ".weight");
    assertThat(paths(base, adapter(adapted)).of(adapted)).isEqualTo(loaded);
    assertThat(warnings).isEmpty();
  }

  @Test
  void nameOfTheLoadedModelIsTakenAsWell() throws Exception {
    String stored = "vit.encoder.layer.0.attention.attention.query";
    String loaded = "vit.layers.0.attention.q_proj";
    Path base = base("{'model_type': 'vit'}", stored + ".weight");
    assertThat(paths(base, adapter(loaded)).of(loaded)).isEqualTo(loaded);
    assertThat(paths(base, adapter(stored)).of(stored)).isEqualTo(loaded);
    assertThat(warnings).isEmpty();
  }

  @Test
  void adapterOfAnotherModelIsRefusedWithWhatWouldFit() throws Exception {
    Path base =
        base("{'model_type': 'bert'}", "bert.encoder.layer.0.crossattention.self.query.weight");
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> paths(base, adapter(BARE)))
        .satisfies(refused -> assertThat(refused.reason()).isEqualTo(Reason.BASE))
        .withMessageContaining(
            "ends alike is bert.encoder.layer.0.crossattention.self.query.weight");
  }

  @Test
  void quantizedWeightIsFoundByItsModule() throws Exception {
    Path base = base("{'model_type': 'bert'}", "bert." + BARE + ".qweight");
    assertThat(paths(base, adapter("bert." + BARE)).of("bert." + BARE)).isEqualTo("bert." + BARE);
  }

  @Test
  void unknownTypeKeepsTheNamesAndSaysSo() throws Exception {
    Path base = base("{'model_type': 'unheard-of'}", BARE + ".weight");
    assertThat(paths(base, adapter(BARE)).of(BARE)).isEqualTo(BARE);
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("were not confirmed, such as " + BARE)
        .contains("unheard-of");
  }

  @Test
  void renamedModulesNeedNoConfirmation() throws Exception {
    Path base = base("{'model_type': 'unheard-of'}", BARE + ".weight");
    ModulePaths paths = paths(base, adapter(BARE), Rename.parse("encoder=my.encoder"));
    assertThat(paths.of(BARE)).isEqualTo("my." + BARE);
    assertThat(paths(null, adapter(BARE), Rename.parse("encoder=bert.encoder")).of(BARE))
        .isEqualTo("bert." + BARE);
    assertThat(warnings).isEmpty();
  }

  @Test
  void ambiguousNameWithoutABaseIsRefused() {
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> paths(null, adapter(BARE)))
        .satisfies(refused -> assertThat(refused.reason()).isEqualTo(Reason.MODULES))
        .withMessageContaining(BARE)
        .withMessageContaining("base model");
  }

  @Test
  void clearNameWithoutABaseIsOnlyNotConfirmed() throws Exception {
    String module = "layers.0.self_attn.q_proj";
    assertThat(paths(null, adapter(module)).of(module)).isEqualTo("model." + module);
    assertThat(warnings).singleElement().asString().contains("were not confirmed");
  }

  @Test
  void expertsThatAreLoadedAsOneParameterMustAllBeAdapted() throws Exception {
    String[] experts = new String[8];
    for (int i = 0; i < 8; i++) {
      experts[i] =
          "model.layers.%d.mlp.experts.%d.%s"
              .formatted(i / 4, i / 2 % 2, i % 2 == 0 ? "gate_proj" : "up_proj");
    }
    String shared = "model.layers.0.mlp.shared_experts.up_proj";
    Path base =
        base(
            "{'model_type': 'qwen3_moe'}",
            Stream.concat(Stream.of(experts), Stream.of(shared, "model.layers.0.q"))
                .map(module -> module + ".weight")
                .toArray(String[]::new));
    assertThat(paths(base, adapter(experts)).of(experts[0])).isEqualTo(experts[0]);
    assertThat(paths(base, adapter("model.layers.0.q", shared)).of(shared)).isEqualTo(shared);
    assertThatExceptionOfType(ExportRefusedException.class)
        .isThrownBy(() -> paths(base, adapter(experts[0], shared)))
        .satisfies(
            refused ->
                assertThat(refused.details())
                    .satisfiesExactly(
                        gate -> assertThat(gate).contains(experts[2]).contains("missing: 3"),
                        up -> assertThat(up).contains(experts[1]).contains("missing: 4"),
                        other -> assertThat(other).startsWith(shared + ": PEFT would take it")));
  }
}
