package dev.nola.client.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.nola.client.lora.ImportRefusedException.Reason;
import dev.nola.format.DType;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Everything that a LoRA may have and an adapter cannot express is refused by name. */
class ImportRefusalTest {
  private static final String Q0 = "model.layers.0.self_attn.q_proj";
  private static final String KEY = "base_model.model." + Q0;
  private static final String EXPERTS = "base_model.model.model.layers.0.mlp.experts.";

  @TempDir private Path folder;

  private void assertRefused(
      PeftLora lora, @Nullable Path base, Reason reason, String... expected) {
    LoraImport.Builder read = LoraImport.of(lora.write(folder.resolve("lora")));
    if (base != null) {
      read.base(base);
    }
    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(read::read)
        .satisfies(
            refused -> {
              assertThat(refused.reason()).isEqualTo(reason);
              assertThat(refused.getMessage()).contains(expected);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"peft_type\":\"IA3\"} | IA3",
        "{\"peft_type\":\"VERA\"} | VERA",
        "{\"peft_type\":\"LOHA\"} | LOHA",
        "{\"peft_type\":\"LOKR\"} | LOKR",
        "{\"peft_type\":\"ADALORA\"} | ADALORA",
        "{\"peft_type\":\"PREFIX_TUNING\"} | PREFIX_TUNING",
        "{\"peft_type\":\"lora\"} | peft_type is lora; must be LORA",
        "{\"use_dora\":true} | DoRA",
        "{\"bias\":\"all\"} | bias: is all",
        "{\"bias\":\"lora_only\"} | bias: is lora_only",
        "{\"lora_bias\":true} | lora_bias",
        "{\"trainable_token_indices\":[1]} | trainable_token_indices",
        "{\"trainable_token_indices\":{\"embed_tokens\":[1]}} | trainable_token_indices",
        "{\"layer_replication\":[[0,2],[1,3]]} | layer_replication",
        "{\"alora_invocation_tokens\":[1,2]} | aLoRA",
        "{\"use_qalora\":true} | use_qalora",
        "{\"kasa_config\":{\"beta\":1}} | KaSA",
        "{\"monteclora_config\":{\"num_samples\":8}} | MonteCLoRA",
        "{\"use_bdlora\":{\"nblocks\":2}} | BD-LoRA",
        "{\"arrow_config\":{\"top_k\":3}} | Arrow",
        "{\"enable_lora\":[true,false]} | enable_lora",
        "{\"init_lora_weights\":\"pissa\"} | path_initial_model_for_weight_conversion",
        "{\"init_lora_weights\":\"pissa_niter_16\"} | pissa_niter_16",
        "{\"init_lora_weights\":\"olora\"} | olora",
        "{\"init_lora_weights\":\"corda\"} | corda",
        "{\"init_lora_weights\":\"loftq\"} | loftq",
        "{\"init_lora_weights\":\"lora_ga\"} | lora_ga",
        "{\"init_lora_weights\":\"brand_new\"} | brand_new",
        "{\"r\":\"8\"} | r is",
        "{\"r\":0} | r is 0; must be a whole number of 1 to 2147483647",
        "{\"r\":4294967298} | r is 4294967298; must be",
        "{\"r\":null} | r is null",
        "{\"lora_alpha\":1e999} | lora_alpha is",
        "{\"use_rslora\":\"yes\"} | use_rslora is \"yes\"; must be true or false",
        "{\"use_rslora\":1} | use_rslora is 1; must be true or false",
        "{\"use_dora\":\"\"} | use_dora is",
        "{\"fan_in_fan_out\":\"true\"} | fan_in_fan_out is \"true\"; must be true or false",
        "{\"alpha_pattern\":[{\"q_proj\":8}]} | must be an object",
        "{\"rank_pattern\":\"q_proj\"} | rank_pattern is \"q_proj\"; must be an object",
        "{\"modules_to_save\":\"score\"} | modules_to_save is \"score\"; must be a list",
        "{\"modules_to_save\":[\"\"]} | must be a list of texts that are not empty",
        "{\"target_parameters\":[1]} | target_parameters is [1]",
        "{\"target_modules\":{\"q_proj\":1}} | must be a text, or a list",
        "{\"layers_to_transform\":[\"0\"]} | must be a whole number or a list",
        "{\"bias\":false} | bias is false; must be a text",
        "{\"init_lora_weights\":1} | init_lora_weights is 1",
        "{\"base_model_name_or_path\":{}} | base_model_name_or_path is {}; must be a text",
        "{\"r\":1.5} | r is 1.5",
        "{\"lora_alpha\":null} | lora_alpha is null",
        "{\"alpha_pattern\":{\"q_proj\":\"x\"}} | alpha_pattern of q_proj",
        "{\"rank_pattern\":{\"(?=q)\":2}} | is not an RE2 pattern",
        "{\"rank_pattern\":{\"q_proj\":-2}} | must be a whole number",
      })
  void settingThatCannotBeExpressed(String config, String expected) {
    PeftLora lora = new PeftLora().linear(Q0, 6, 4, 2).config(config);

    assertRefused(lora, null, Reason.UNSUPPORTED, expected);
  }

  @ParameterizedTest
  @CsvSource({
    "true",
    "false",
    "'\"gaussian\"'",
    "'\"eva\"'",
    "'\"orthogonal\"'",
    "'\"mica\"'",
    "null"
  })
  void initThatLeavesTheBaseAlone_isImported(String init) throws Exception {
    PeftLora lora =
        new PeftLora().linear(Q0, 6, 4, 2).config("{\"init_lora_weights\":%s}".formatted(init));

    assertThat(LoraImport.of(lora.write(folder.resolve("lora"))).read().report().modules())
        .isEqualTo(1);
  }

  static Stream<Arguments> contents() {
    return Stream.of(
        content("no factors", "has no lora_A and lora_B", lora -> {}),
        content(
            "magnitude of DoRA",
            "magnitude of DoRA",
            lora -> lora.linear(Q0, 6, 4, 2).with(KEY + ".lora_magnitude_vector", 6)),
        content(
            "bias of lora_B",
            "bias of a factor",
            lora -> lora.linear(Q0, 6, 4, 2).with(KEY + ".lora_B.bias", 6)),
        content(
            "bias of the module",
            Q0 + ".bias F32[6]: is a bias",
            lora -> lora.linear(Q0, 6, 4, 2).with(KEY + ".bias", 6)),
        content(
            "trained tokens",
            "trained tokens",
            lora ->
                lora.linear(Q0, 6, 4, 2)
                    .with(
                        "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta",
                        2,
                        4)),
        content(
            "unknown tensor",
            "lora_C.weight F32[6, 4]: is not understood",
            lora -> lora.linear(Q0, 6, 4, 2).with(KEY + ".lora_C.weight", 6, 4)),
        content(
            "factor of another tool",
            "lora_down.weight F32[2, 4]: is not understood",
            lora -> lora.linear(Q0, 6, 4, 2).with("lora_unet_x.lora_down.weight", 2, 4)),
        content(
            "line feed in a name",
            "layers.0.a\\u000ab.q_proj.lora_A.weight: has a control character in its name",
            lora -> lora.linear("layers.0.a\nb.q_proj", 6, 4, 2)),
        content(
            "products that cancel each other out",
            "would change ΔW by",
            lora ->
                lora.with(
                        KEY + ".lora_A.weight",
                        DType.F32,
                        new float[] {1, 2, 3, 0.7f, 1.4f, 2.1f},
                        2,
                        3)
                    .with(
                        KEY + ".lora_B.weight",
                        DType.F32,
                        new float[] {1, -1.4285715f, 5, -7.142857f, 2, -2.857143f},
                        3,
                        2)),
        content("A alone", "has no lora_B", lora -> lora.with(KEY + ".lora_A.weight", 2, 4)),
        content("B alone", "has no lora_A", lora -> lora.with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "two adapters",
            "several adapters, [one, two]",
            lora ->
                lora.with(KEY + ".lora_A.one.weight", 2, 4).with(KEY + ".lora_B.two.weight", 6, 2)),
        content(
            "factor twice",
            "second factor of its kind",
            lora -> lora.linear(Q0, 6, 4, 2).with(Q0 + ".lora_A.weight", 2, 4)),
        content(
            "contradicting ranks",
            "contradict each other: the rank is 2 and 3",
            lora -> lora.with(KEY + ".lora_A.weight", 2, 4).with(KEY + ".lora_B.weight", 6, 3)),
        content(
            "rank of the config", "the rank of this module is 2", lora -> lora.linear(Q0, 6, 4, 3)),
        content(
            "vector",
            "shards of DeepSpeed",
            lora -> lora.with(KEY + ".lora_A.weight", 8).with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "empty factor",
            "no empty one",
            lora -> lora.with(KEY + ".lora_A.weight", 2, 0).with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "convolution with groups",
            "convolution with groups",
            lora ->
                lora.with(KEY + ".lora_A.weight", 2, 4, 3, 3)
                    .with(KEY + ".lora_B.weight", 6, 1, 1, 1)),
        content(
            "wide lora_B",
            "are not those of a linear module",
            lora ->
                lora.with(KEY + ".lora_A.weight", 2, 4, 1, 1)
                    .with(KEY + ".lora_B.weight", 6, 2, 3, 3)),
        content(
            "not a number",
            "element 1 is NaN",
            lora ->
                lora.with(KEY + ".lora_A.weight", DType.F32, new float[] {1, Float.NaN}, 2, 1)
                    .with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "infinite",
            "element 2 is Infinity",
            lora ->
                lora.with(
                        KEY + ".lora_A.weight",
                        DType.BF16,
                        new float[] {1, 2, Float.POSITIVE_INFINITY, 3},
                        2,
                        2)
                    .with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "unsupported type of a factor",
            "has an unsupported type",
            lora ->
                lora.withType(KEY + ".lora_A.weight", "F8_E4M3", 8)
                    .with(KEY + ".lora_B.weight", 6, 2)),
        content(
            "unsupported type of a saved tensor",
            "num_batches_tracked U8[1]: has an unsupported type",
            lora ->
                lora.linear(Q0, 6, 4, 2)
                    .withType("base_model.model.score.num_batches_tracked", "U8", 1)
                    .config("{\"modules_to_save\":[\"score\"]}")),
        content(
            "infinite saved tensor",
            "score.weight: element 0 is Infinity",
            lora ->
                lora.linear(Q0, 6, 4, 2)
                    .with(
                        "base_model.model.score.weight",
                        DType.F32,
                        new float[] {Float.POSITIVE_INFINITY},
                        1,
                        1)
                    .config("{\"modules_to_save\":[\"score\"]}")),
        content(
            "LoRA and whole tensor of one module",
            "both adapted by a layer and replaced",
            lora -> lora.linear("lm_head", 6, 4, 2).with("base_model.model.lm_head.weight", 6, 4)),
        content(
            "name too long", "tensor name too long", lora -> lora.linear("m".repeat(300), 6, 4, 2)),
        content(
            "name of a saved tensor too long",
            "cannot be stored",
            lora ->
                lora.linear(Q0, 6, 4, 2)
                    .with("base_model.model." + "s".repeat(300) + ".score.weight", 2)
                    .config("{\"modules_to_save\":[\"score\"]}")),
        content(
            "scale too large",
            "invalid scale",
            lora ->
                lora.with(KEY + ".lora_A.weight", DType.F32, new float[] {3e38f, 1}, 2, 1)
                    .with(KEY + ".lora_B.weight", DType.F32, new float[] {3e38f, 1}, 1, 2)
                    .config("{\"lora_alpha\":1e9}")),
        content(
            "scale too small",
            "smaller than every scale",
            lora ->
                lora.with(KEY + ".lora_A.weight", DType.F32, new float[] {1e-30f, 0}, 2, 1)
                    .with(KEY + ".lora_B.weight", DType.F32, new float[] {1e-30f, 0}, 1, 2)));
  }

  private static Arguments content(String name, String expected, Consumer<PeftLora> content) {
    return Arguments.argumentSet(name, expected, content);
  }

  @ParameterizedTest
  @MethodSource("contents")
  void contentThatIsNotUnderstood(String expected, Consumer<PeftLora> content) {
    PeftLora lora = new PeftLora();
    content.accept(lora);

    assertRefused(lora, null, Reason.CONTENT, expected);
  }

  @Test
  void everyProblemIsNamed() {
    PeftLora lora =
        new PeftLora().linear(Q0, 6, 4, 2).config("{\"use_dora\":true,\"bias\":\"all\"}");

    assertRefused(lora, null, Reason.UNSUPPORTED, "use_dora", "bias: is all");
  }

  @Test
  void baseWithoutTheTensor() {
    Path base =
        new PeftLora().with("other.weight", 6, 4).writeModel(folder.resolve("base"), "llama");

    assertRefused(
        new PeftLora().linear(Q0, 6, 4, 2),
        base,
        Reason.BASE,
        base.toString(),
        Q0 + ".weight: the base model has no such tensor");
  }

  @Test
  void baseOfAnotherShape() {
    Path base =
        new PeftLora().with(Q0 + ".weight", 6, 5).writeModel(folder.resolve("base"), "llama");

    assertRefused(
        new PeftLora().linear(Q0, 6, 4, 2), base, Reason.BASE, "shape [6, 4]", "shape [6, 5]");
  }

  @Test
  void baseThatWasQuantized() {
    Path base =
        new PeftLora().withType(Q0 + ".weight", "U8", 12).writeModel(folder.resolve("base"), "x");

    assertRefused(new PeftLora().linear(Q0, 6, 4, 2), base, Reason.BASE, "before it was quantized");
  }

  @Test
  void orientationThatOnlyTheBaseTells() {
    PeftLora lora = new PeftLora().linear("h.0.attn.c_attn", 12, 4, 2).linear("lm_head", 9, 4, 2);

    assertRefused(lora, null, Reason.BASE, "h.0.attn.c_attn", "name the base model");
  }

  private PeftLora experts() {
    return new PeftLora()
        .with(EXPERTS + "lora_A.weight", 6, 4)
        .with(EXPERTS + "lora_B.weight", 4, 6)
        .config("{\"target_parameters\":[\"experts.down_proj\"]}");
  }

  @Test
  void expertsWithoutTheBase() {
    assertRefused(experts(), null, Reason.BASE, "down_proj", "name the base model");
  }

  @Test
  void expertsThatFitNoParameter() {
    Path base =
        new PeftLora()
            .with("model.layers.0.mlp.experts.down_proj", 3, 4, 5)
            .writeModel(folder.resolve("base"), "mixtral");

    assertRefused(experts(), base, Reason.BASE, "fit no order of the parameters");
  }

  @Test
  void squareExpertsOfAnUnknownVersionOfPeft() throws Exception {
    Path base =
        new PeftLora()
            .with("model.layers.0.mlp.experts.down_proj", 3, 4, 4)
            .writeModel(folder.resolve("base"), "mixtral");

    assertRefused(experts(), base, Reason.BASE, "are square");
    PeftLora known = experts().config("{\"peft_version\":\"0.21.2\"}");
    assertThat(LoraImport.of(known.write(folder.resolve("known"))).base(base).read().report())
        .isNotNull();
  }

  @Test
  void expertsWithMorePairsThanParameters() {
    PeftLora lora =
        experts()
            .with(EXPERTS + "base_layer.lora_A.weight", 6, 4)
            .with(EXPERTS + "base_layer.lora_B.weight", 4, 6);
    Path base =
        new PeftLora()
            .with("model.layers.0.mlp.experts.down_proj", 3, 4, 4)
            .writeModel(folder.resolve("base"), "gpt_oss");

    assertRefused(lora, base, Reason.BASE, "has 2 pairs of factors");
  }

  @Test
  void severalLorasAroundOneModule() {
    PeftLora lora =
        new PeftLora()
            .linear(Q0, 6, 4, 2)
            .with(KEY + ".base_layer.lora_A.weight", 2, 4)
            .with(KEY + ".base_layer.lora_B.weight", 6, 2);

    assertRefused(lora, null, Reason.BASE, "several LoRAs around one another");
  }

  private void assertNotPeft(Path path, String... expected) {
    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(() -> LoraImport.of(path).read())
        .satisfies(
            refused -> {
              assertThat(refused.reason()).isEqualTo(Reason.NOT_PEFT);
              assertThat(refused.getMessage()).contains(expected);
            });
  }

  @Test
  void pickle_isRefusedWithTheRemedy() throws Exception {
    Files.writeString(folder.resolve("adapter_config.json"), "{}");
    Path pickle = Files.writeString(folder.resolve("adapter_model.bin"), "x");

    assertNotPeft(folder, "is a pickle", "safe_serialization=True");
    assertNotPeft(pickle, "is a pickle");
  }

  @Test
  void folderWithoutAnAdapter_namesThoseInIt() {
    new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("checkpoint-500"));

    assertNotPeft(folder, "is not a LoRA of PEFT", "checkpoint-500");
  }

  @Test
  void modelThatIsNoAdapter() {
    Path base = new PeftLora().with("w", 6, 4).writeModel(folder.resolve("base"), "llama");

    assertNotPeft(base, "is not a LoRA of PEFT");
    assertNotPeft(
        base.resolve("model.safetensors"),
        "adapter_config.json: no such file",
        "not a LoRA of PEFT");
  }

  @ParameterizedTest
  @CsvSource({"'[]', is not a JSON object", "'{', is not valid JSON", "'{}', has no peft_type"})
  void configThatIsNone(String config, String expected) throws Exception {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));
    Files.writeString(lora.resolve("adapter_config.json"), config);

    assertNotPeft(lora, expected);
  }

  @Test
  void partOfALora_isNotTakenForTheWhole() throws Exception {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));
    Path shard = lora.resolve("adapter_model-00001-of-00002.safetensors");
    Files.move(lora.resolve("adapter_model.safetensors"), shard);

    assertNotPeft(shard, shard + ": is one of several parts of a LoRA");
    assertNotPeft(lora, shard + ": is one of several parts of a LoRA");
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapter_model.safetensors", "adapter_config.json"})
  void fileThatIsNotARegularOne_isNamed(String name) throws Exception {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));
    Path file = lora.resolve(name);
    Files.delete(file);
    Files.createDirectory(file);

    assertNotPeft(lora, file + ": is a folder, not a regular file");
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("nowhere"));
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> LoraImport.of(lora).read())
        .withMessageContaining("is a link to nowhere, which does not exist");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"r\":NaN}", "{\"r\":[[[[", "{\"peft_type\":\"LORA\"} x"})
  void invalidJson_isDescribedWithoutNamesOfTheParser(String config) throws Exception {
    Path lora = new PeftLora().linear(Q0, 6, 4, 2).write(folder.resolve("lora"));
    Files.writeString(
        lora.resolve("adapter_config.json"), config.replace("[[[[", "[".repeat(2000)));

    assertThatExceptionOfType(ImportRefusedException.class)
        .isThrownBy(() -> LoraImport.of(lora).read())
        .withMessageContaining("is not valid JSON")
        .satisfies(
            refused ->
                assertThat(refused.getMessage())
                    .doesNotContain("JsonReadFeature", "StreamReadConstraints", "`"));
  }

  @Test
  void orientationThatAnUnknownPartOfTheModelLeavesOpen() {
    String module = "mind.h.0.attn.c_proj";
    PeftLora lora = new PeftLora().linear(module, 4, 4, 2).linear("lm_head", 9, 4, 2);
    Path base =
        new PeftLora()
            .with(module + ".weight", 4, 4)
            .with("lm_head.weight", 9, 4)
            .writeModelWith(
                folder.resolve("base"),
                "{\"model_type\":\"x\",\"brain\":{\"model_type\":\"gpt2\"}}");

    assertRefused(lora, base, Reason.BASE, module, "fan_in_fan_out tells it of one");
  }

  @Test
  void missingPath() {
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> LoraImport.of(folder.resolve("nowhere")).read());
  }
}
