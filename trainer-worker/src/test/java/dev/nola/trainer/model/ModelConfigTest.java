package dev.nola.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import dev.nola.client.peft.Pooling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A config.json says nothing that the forward pass ignores. */
class ModelConfigTest {
  private static final Path MODELS = Path.of("src/test/resources/models");

  @TempDir private Path folder = Path.of("");

  /** Copies a model, and sets a key, if it is one, in its config. */
  private Path model(String name, String key, String json) throws IOException {
    Path source = MODELS.resolve(name);
    Files.copy(source.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    ObjectNode config =
        (ObjectNode)
            JsonMapper.shared().readTree(Files.readAllBytes(source.resolve("config.json")));
    config.set(key, JsonMapper.shared().readTree(json));
    Files.writeString(folder.resolve("config.json"), config.toString());
    return folder;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama-untied | hidden_act | \"quick_gelu\" | hidden_act: \"quick_gelu\"; must be one of"
            + " gelu,",
        "llama-untied | hidden_act | 1 | hidden_act: 1; must be one of gelu,",
        "llama-untied | num_hidden_layers | 0 | num_hidden_layers: 0; must be a whole number, 1 or"
            + " more",
        "llama-untied | num_hidden_layers | \"2\" | num_hidden_layers: \"2\"; must be a whole"
            + " number",
        "llama-untied | num_attention_heads | 4.5 | num_attention_heads: 4.5; must be a whole"
            + " number",
        "llama-untied | num_attention_heads | null | num_attention_heads: null; must be a whole"
            + " number",
        "llama-untied | num_key_value_heads | 3 | num_key_value_heads: 3; must be a divisor of"
            + " num_attention_heads, 4",
        "llama-untied | head_dim | \"8\" | head_dim: \"8\"; must be a whole number, 1 or more",
        "llama-untied | rms_norm_eps | 0 | rms_norm_eps: 0; must be a number above 0",
        "llama-untied | rope_theta | -1 | rope_theta: -1; must be a number above 0",
        "llama-untied | rope_parameters | {\"rope_type\": \"dynamic\"} | rope_parameters.rope_type:"
            + " \"dynamic\"; must be default, linear, llama3, yarn",
        "llama-untied | rope_parameters | {\"rope_type\": \"llama3\"} | rope_parameters.factor:"
            + " missing; must be a number above 0",
        "llama-untied | rope_parameters | {\"partial_rotary_factor\": 0.5} |"
            + " rope_parameters.partial_rotary_factor: 0.5; must be 1",
        "llama-untied | rope_parameters | {\"rope_type\": \"linear\", \"factor\": 0} | rope_parameters.factor:"
            + " 0; must be a number above 0",
        "llama-untied | rope_scaling | {\"rope_type\": \"longrope\"} | rope_scaling.rope_type:"
            + " \"longrope\"; must be default",
        "llama-untied | rope_scaling | {\"rope_type\": \"yarn\", \"factor\": 2, \"beta_fast\": \"32\"} |"
            + " rope_scaling.beta_fast: \"32\"; must be a number above 0",
        "llama-untied | rope_scaling | {\"rope_type\": \"yarn\", \"factor\": 2, \"beta_slow\": 0} |"
            + " rope_scaling.beta_slow: 0; must be a number above 0",
        "llama-untied | rope_parameters | {\"rope_type\": \"yarn\", \"factor\": 2, \"mscale\": -1} |"
            + " rope_parameters.mscale: -1; must be a number, 0 or more",
        "llama-untied | rope_parameters | {\"rope_type\": \"yarn\", \"factor\": 2, \"truncate\": \"no\"} |"
            + " rope_parameters.truncate: \"no\"; must be true or false",
        "llama-untied | rope_parameters | {\"rope_type\": \"yarn\", \"factor\": 2, \"attention_factor\": 0} |"
            + " rope_parameters.attention_factor: 0; must be a number above 0",
        "llama-untied | partial_rotary_factor | 0.5 | partial_rotary_factor: 0.5; must be 1",
        "llama-untied | attention_bias | \"yes\" | attention_bias: \"yes\"; must be true or false",
        "llama-untied | mlp_bias | 1 | mlp_bias: 1; must be true or false",
        "llama-untied | tie_word_embeddings | \"no\" | tie_word_embeddings: \"no\"; must be true or"
            + " false",
        "llama-untied | pretraining_tp | 0 | pretraining_tp: 0; must be a whole number, 1 or more",
        "llama-untied | sliding_window | 4096 | sliding_window: 4096; must be absent or null",
        "llama-untied | quantization_config | {} | quantization_config: {}; must be absent or null",
        "llama-untied | model_type | \"opt\" | model_type: \"opt\"; must be llama,"
            + " mistral, qwen2, qwen3, gemma2, gpt2, bert, roberta, xlm-roberta, vit or vit_mae",
        "vit | num_channels | 1 | num_channels: 1; must be 3",
        "vit | patch_size | [4, 2] | patch_size: [4,2]; must be a whole number, 1 or more, or two"
            + " equal ones",
        "vit-mae | hidden_act | \"mish\" | hidden_act: \"mish\"; must be one of gelu",
        "timm-vit | architecture | \"vit_base_patch16_clip_224\" | architecture:"
            + " \"vit_base_patch16_clip_224\"; must be vit_{tiny,small,base,large,huge}_patch{N}_{N}",
        "timm-vit | model_args | {\"init_values\": 1e-5} | model_args.init_values: 1.0E-5; must be"
            + " absent or null",
        "timm-vit | model_args | {\"block_fn\": \"x\"} | model_args.block_fn: \"x\"; must be absent",
        "timm-vit | global_pool | \"map\" | global_pool: \"map\"; must be token, avg",
        "mistral | sliding_window | 0 | sliding_window: 0; must be a whole number, 1 or more",
        "gemma2 | layer_types | [\"full_attention\"] | layer_types: [\"full_attention\"]; must be a"
            + " list of one text a layer",
        "gemma2 | use_bidirectional_attention | true | use_bidirectional_attention: true; must be"
            + " false",
        "qwen2 | use_sliding_window | 1 | use_sliding_window: 1; must be true or false",
        "gpt2 | scale_attn_by_inverse_layer_idx | true | scale_attn_by_inverse_layer_idx: true; must"
            + " be false",
        "gpt2 | activation_function | \"mish\" | activation_function: \"mish\"; must be one of gelu",
        "bert | hidden_act | \"mish\" | hidden_act: \"mish\"; must be one of gelu, gelu_new,"
            + " gelu_pytorch_tanh, relu, silu, swish",
        "bert | layer_norm_eps | \"small\" | layer_norm_eps: \"small\"; must be a number above 0",
        "bert | position_embedding_type | \"relative_key\" | position_embedding_type:"
            + " \"relative_key\"; must be absolute",
        "bert | is_decoder | true | is_decoder: true; must be false",
        "bert | add_cross_attention | true | add_cross_attention: true; must be false",
        "bert | quantization_config | {\"bits\": 4} | quantization_config: {\"bits\":4}; must be"
            + " absent or null",
      })
  void valueThatIsNotHonoured_isRefusedByName(
      String model, String key, String value, String message) throws IOException {
    Path changed = model(model, key, value);
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> BaseModel.load(changed))
        .withMessageContaining(changed.resolve("config.json") + ": unsupported " + message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama-untied | hidden_act | \"gelu\"",
        "llama-untied | rope_parameters | {\"rope_type\": \"default\", \"partial_rotary_factor\":"
            + " 1.0}",
        "llama-untied | rope_scaling | null",
        "llama-untied | pretraining_tp | 2",
        "llama-untied | sliding_window | null",
        "llama-untied | initializer_range | 7",
        "llama-untied | a_key_of_nobody | true",
        "bert | hidden_act | \"relu\"",
        "bert | position_embedding_type | \"absolute\"",
        "bert | hidden_dropout_prob | 0.5",
      })
  void valueThatIsHonouredOrOfNoEffect_isAccepted(String model, String key, String value)
      throws IOException {
    Path changed = model(model, key, value);
    assertThatNoException().isThrownBy(() -> BaseModel.load(changed).close());
  }

  @Test
  void biasesThatTheConfigDenies_areNotUsedAsInTransformers() throws IOException {
    try (BaseModel model = BaseModel.load(model("llama-classifier", "attention_bias", "false"))) {
      assertThat(model.names()).noneMatch(name -> name.endsWith(".bias"));
    }
    try (BaseModel model = BaseModel.load(MODELS.resolve("llama-classifier"))) {
      assertThat(model.names()).anyMatch(name -> name.endsWith("self_attn.q_proj.bias"));
    }
  }

  @Test
  void languageModelWithoutAClassifier_isRefusedForClassification() {
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(() -> BaseModel.loadClassifier(MODELS.resolve("gpt2"), null, BaseType.F32))
        .withMessage("unsupported task classification for model_type gpt2; must be causal-lm");
  }

  @ParameterizedTest
  @ValueSource(strings = {"MEAN", "CLS"})
  void poolingThatTheModelHasNot_isRefused(Pooling pooling) {
    assertThatExceptionOfType(UnsupportedModelException.class)
        .isThrownBy(
            () -> BaseModel.loadClassifier(MODELS.resolve("llama-untied"), pooling, BaseType.F32))
        .withMessage(
            "unsupported model.pooling: %s; must be last-token for model_type llama",
            pooling.label());
  }
}
