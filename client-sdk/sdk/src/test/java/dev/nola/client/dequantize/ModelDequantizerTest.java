package dev.nola.client.dequantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.Progress;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelDequantizerTest {
  @TempDir private Path folder;
  private Path base = Path.of("");
  private Path plain = Path.of("");

  private final Map<Slot, byte[]> tensors = new LinkedHashMap<>();

  @BeforeEach
  void createBase() throws IOException {
    base = Files.createDirectory(folder.resolve("base"));
    plain = folder.resolve("plain");
  }

  private void tensor(String name, String type, List<Long> shape, byte... bytes) {
    tensors.put(new Slot(name, type, shape, bytes.length), bytes);
  }

  private void floats(String name, List<Long> shape, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    tensor(name, "F32", shape, bytes.array());
  }

  private void write(String file) throws IOException {
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(base.resolve(file), tensors.keySet(), Map.of("format", "pt"))) {
      for (Map.Entry<Slot, byte[]> tensor : tensors.entrySet()) {
        writer.write(tensor.getKey().name(), MemorySegment.ofArray(tensor.getValue()));
      }
    }
    tensors.clear();
  }

  private void config(String json) throws IOException {
    Files.writeString(base.resolve("config.json"), json);
  }

  private ModelDequantizer.Report dequantize(@Nullable DType dtype) throws IOException {
    return new ModelDequantizer(base, dtype, Progress.NONE).write(plain);
  }

  private void refused(String message) {
    assertThatThrownBy(() -> dequantize(null))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining(message);
    assertThat(plain).doesNotExist();
  }

  private static float[] values(Model model, String name) {
    Tensor tensor = model.tensors().get(name);
    float[] values = new float[(int) tensor.elements()];
    StoredFloats.values(tensor)
        .orElseThrow()
        .read(0, tensor.shape().size() < 2 ? 1 : tensor.shape().getFirst().intValue(), values);
    return values;
  }

  private JsonNode json(String name) throws IOException {
    return JsonMapper.shared().readTree(Files.readAllBytes(plain.resolve(name)));
  }

  @Test
  void eightBitFloatsAreMultipliedByTheScaleOfTheirBlock() throws IOException {
    // 1.0, -1.5, 448 (the largest), 2^-9 (the smallest), in blocks of 2×2 that the last ones fill
    // in part
    tensor(
        "l.weight",
        "F8_E4M3",
        List.of(3L, 3L),
        bytes(0x38, 0xBC, 0x7E, 0x01, 0x38, 0x38, 0x38, 0x38, 0x40));
    floats("l.weight_scale_inv", List.of(2L, 2L), 0.5f, 2, 4, 8);
    tensor("norm.weight", "BF16", List.of(1L), bytes(0x80, 0x3F));
    tensor("odd", "I64", List.of(1L), new byte[8]);
    write("model.safetensors");
    config(
        """
        {"model_type":"x","dtype":"bfloat16","text_config":{"torch_dtype":"bfloat16"},
         "quantization_config":{"quant_method":"fp8","weight_block_size":[2,2]}}\
        """);
    Files.writeString(base.resolve("tokenizer.json"), "{}");
    Files.writeString(base.resolve("hf_quant_config.json"), "{}");
    ModelDequantizer.Report report = dequantize(null);
    assertThat(report.quantization()).isEqualTo("FP8");
    assertThat(report.dequantized()).isEqualTo(1);
    assertThat(report.copied()).isEqualTo(2);
    assertThat(report.left()).containsExactly("hf_quant_config.json");
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors()).containsOnlyKeys("l.weight", "norm.weight", "odd");
      assertThat(model.tensors().get("l.weight").type()).isEqualTo("BF16");
      assertThat(values(model, "l.weight"))
          .containsExactly(.5f, -.75f, 896, .5f / 512, .5f, 2, 4, 4, 16);
    }
    assertThat(json("config.json").has("quantization_config")).isFalse();
    assertThat(json("config.json").path("dtype").asString()).isEqualTo("bfloat16");
    assertThat(plain.resolve("tokenizer.json")).hasContent("{}");
  }

  @Test
  void eightBitFloatsMayHaveOneScaleOrOneForEachRow() throws IOException {
    tensor("a.weight", "F8_E5M2", List.of(1L, 2L), bytes(0x3C, 0xBE)); // 1, -1.5
    floats("a.weight_scale", List.of(), 3);
    floats("a.input_scale", List.of(), 9);
    floats("logit_scale", List.of(), 4);
    tensor("b.weight", "F8_E4M3", List.of(2L, 1L), bytes(0x38, 0x38));
    floats("b.weight_scale", List.of(2L, 1L), 3, 5);
    tensor("c.weight", "F8_E4M3", List.of(2L, 2L), bytes(0x38, 0x38, 0x38, 0x38));
    tensor("c.weight_scale", "F8_E8M0", List.of(2L), bytes(128, 126));
    tensor("d.weight", "F8_E4M3", List.of(1L, 1L), bytes(0x38));
    tensor("d.weight_scale", "U8", List.of(1L), bytes(129)); // 2^(129 − 127)
    tensor("experts", "F8_E4M3", List.of(2L, 1L, 2L), bytes(0x38, 0x38, 0x38, 0x38));
    floats("experts_scale_inv", List.of(2L, 1L, 1L), 7, 9);
    write("model.safetensors");
    dequantize(DType.F32);
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors())
          .containsOnlyKeys(
              "a.weight", "b.weight", "c.weight", "d.weight", "experts", "logit_scale");
      assertThat(values(model, "a.weight")).containsExactly(3, -4.5f);
      assertThat(values(model, "b.weight")).containsExactly(3, 5);
      assertThat(values(model, "c.weight")).containsExactly(2, 2, .5f, .5f);
      assertThat(values(model, "d.weight")).containsExactly(4);
      assertThat(Arrays.copyOf(values(model, "experts"), 2)).containsExactly(7, 7);
      assertThat(FloatRounding.decode(model.tensors().get("experts").data(), DType.F32, 3))
          .isEqualTo(9);
    }
  }

  @Test
  void anEightBitFloatWithoutItsScaleIsRefused() throws IOException {
    tensor("l.weight", "F8_E4M3", List.of(1L), bytes(0x38));
    tensor("m.weight", "F8_E4M3", List.of(1L), bytes(0x38));
    floats("m.weight_scale", List.of(), 3);
    write("model.safetensors");
    refused("tensor l.weight has no scale; must have a tensor l.weight_scale_inv");
  }

  @Test
  void scalesThatDoNotFitAreRefused() throws IOException {
    tensor("l.weight", "F8_E4M3", List.of(3L, 2L), new byte[6]);
    floats("l.weight_scale", List.of(2L, 1L), 3, 3);
    write("model.safetensors");
    refused("tensor l.weight has shape [3, 2] and scales of shape [2, 1]");
  }

  @Test
  void int8CodesAreMultipliedByTheMaximumOfTheirRow() throws IOException {
    tensor("l.weight", "I8", List.of(2L, 2L), bytes(127, 0x81, 1, 0));
    floats("l.SCB", List.of(2L), 2, 254);
    tensor("l.weight_format", "U8", List.of(), (byte) 0);
    write("model.safetensors");
    config("{\"quantization_config\":{\"quant_method\":\"bitsandbytes\",\"load_in_8bit\":true}}");
    ModelDequantizer.Report report = dequantize(null);
    assertThat(report.dtype()).isEqualTo(DType.F16);
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors()).containsOnlyKeys("l.weight");
      assertThat(values(model, "l.weight")).containsExactly(2, -2, 2, 0);
    }
    assertThat(json("config.json").path("torch_dtype").asString()).isEqualTo("float16");
  }

  @Test
  void fourBitCodesAreLookedUpAndScaledByBlock() throws IOException {
    float[] table = new float[16];
    for (int i = 0; i < 16; i++) {
      table[i] = (i - 8) / 8f;
    }
    tensor("l.weight", "U8", List.of(2L, 1L), bytes(0xF0, 0x9C)); // 7/8, -1 | 1/8, 1/2
    floats("l.weight.quant_map", List.of(16L), table);
    floats("l.weight.absmax", List.of(2L), 2, 4);
    state("l", "{\"quant_type\":\"nf4\",\"blocksize\":2,\"shape\":[2,2],\"dtype\":\"float16\"}");
    float[] nested = new float[256];
    nested[5] = 3;
    tensor("n.weight", "U8", List.of(1L, 1L), bytes(0xF8));
    floats("n.weight.quant_map", List.of(16L), table);
    tensor("n.weight.absmax", "U8", List.of(1L), (byte) 5);
    floats("n.weight.nested_quant_map", List.of(256L), nested);
    floats("n.weight.nested_absmax", List.of(1L), 2);
    state("n", "{\"blocksize\":64,\"shape\":[1,2],\"nested_blocksize\":256,\"nested_offset\":2}");
    write("model.safetensors");
    assertThat(dequantize(DType.F32).quantization()).isEqualTo("4-bit bitsandbytes");
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors()).containsOnlyKeys("l.weight", "n.weight");
      assertThat(values(model, "l.weight")).containsExactly(1.75f, -2, .5f, 2);
      assertThat(values(model, "n.weight")).containsExactly(7, 0); // scale 3·2 + 2
    }
  }

  private void state(String module, String json) {
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    tensor(
        module + ".weight.quant_state.bitsandbytes__nf4", "U8", List.of((long) text.length), text);
  }

  @Test
  void shardsStayShards() throws IOException {
    tensor("a.weight", "F8_E4M3", List.of(1L, 1L), bytes(0x38));
    floats("b.weight_scale_inv", List.of(1L, 1L), 4);
    write("model-1.safetensors");
    tensor("b.weight", "F8_E4M3", List.of(1L, 1L), bytes(0x38));
    floats("a.weight_scale_inv", List.of(1L, 1L), 2);
    write("model-2.safetensors");
    Files.writeString(
        base.resolve(Model.INDEX),
        """
        {"metadata":{"total_size":10},"weight_map":{"a.weight":"model-1.safetensors",
         "b.weight_scale_inv":"model-1.safetensors","b.weight":"model-2.safetensors",
         "a.weight_scale_inv":"model-2.safetensors"}}\
        """);
    dequantize(null);
    try (Model model = Model.open(plain)) {
      assertThat(values(model, "a.weight")).containsExactly(2);
      assertThat(values(model, "b.weight")).containsExactly(4);
    }
    assertThat(json(Model.INDEX).path("metadata").path("total_size").asInt()).isEqualTo(4);
    assertThat(json(Model.INDEX).path("weight_map").size()).isEqualTo(2);
  }

  @Test
  void aValueTooLargeForTheTypeIsRefused() throws IOException {
    tensor("l.weight", "F8_E4M3", List.of(1L, 1L), bytes(0x7E));
    floats("l.weight_scale_inv", List.of(1L, 1L), 1000);
    write("model.safetensors");
    config("{\"dtype\":\"float16\"}");
    refused("tensor l.weight has a value of 448000.0, too large for F16; pass --dtype bf16");
  }

  @Test
  void eightBitFloatsWithoutScales_areValues() throws IOException {
    tensor("l.weight", "F8_E4M3", List.of(2L, 1L), bytes(0x38, 0xBC));
    tensor("t", "F8_E5M2", List.of(1L), bytes(0x3C));
    floats("norm.weight", List.of(1L), 2);
    write("model.safetensors");
    assertThat(dequantize(null).quantization()).isEqualTo("FP8 without scales");
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors().get("l.weight").type()).isEqualTo("BF16");
      assertThat(values(model, "l.weight")).containsExactly(1, -1.5f);
      assertThat(values(model, "t")).containsExactly(1);
    }
  }

  @Test
  void scalesNamedAsDiffusionToolsDo_areApplied() throws IOException {
    tensor("l.weight", "F8_E4M3", List.of(2L, 1L), bytes(0x38, 0xBC));
    floats("l.scale_weight", List.of(), 3);
    floats("l.scale_input", List.of(), 5);
    tensor("scaled_fp8", "F8_E4M3", List.of(2L), bytes(0, 0));
    write("model.safetensors");
    dequantize(DType.F32);
    try (Model model = Model.open(plain)) {
      assertThat(model.tensors()).containsOnlyKeys("l.weight");
      assertThat(values(model, "l.weight")).containsExactly(3, -4.5f);
    }
  }

  @Test
  void typeWithoutDecoder_isRefusedWithTheRemedy() throws IOException {
    tensor("l.weight", "F8_E4M3FNUZ", List.of(1L, 1L), bytes(1));
    write("model.safetensors");
    refused("of type F8_E4M3FNUZ, which cannot be decoded; use the original model");
  }

  @Test
  void whatCannotBeDequantizedIsRefused() throws IOException {
    floats("l.weight", List.of(1L), 1);
    write("model.safetensors");
    refused("is not quantized; it can be used as it is");
    Files.delete(base.resolve("model.safetensors"));
    tensor("l.qweight", "I32", List.of(1L), bytes(0, 0, 0, 0));
    write("model.safetensors");
    config("{\"quantization_config\":{\"quant_method\":\"gptq\"}}");
    refused("is quantized (GPTQ), which cannot be undone here");
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
