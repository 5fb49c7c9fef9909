package dev.nola.client.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationTest {
  @TempDir private Path folder;

  /** Writes tensors of one byte each, named {@code name:TYPE}. */
  private void write(String tensors, String config) throws IOException {
    String[] all = tensors.split(" ");
    String header =
        IntStream.range(0, all.length)
            .mapToObj(
                i ->
                    "\"%s\":{\"dtype\":\"%s\",\"shape\":[1,1],\"data_offsets\":[%d,%d]}"
                        .formatted(all[i].split(":")[0], all[i].split(":")[1], i, i + 1))
            .collect(Collectors.joining(",", "{", "}"));
    RawFile.write(folder.resolve(Model.SINGLE), header, all.length);
    Files.writeString(folder.resolve("config.json"), config);
  }

  @ParameterizedTest
  @CsvSource({
    "l.weight:F8_E4M3 l.weight_scale_inv:U8, '', FP8",
    "l.weight:F8_E4M3 l.weight_scale:U8, '', FP8",
    "mlp.experts.gate_up_proj:F8_E4M3 mlp.experts.gate_up_proj_scale_inv:U8, '', FP8",
    "l.weight:F8_E4M3 l.weight_scale_inv:U8 m.qweight:I8, '', AWQ or GPTQ",
    "l.weight:I8 l.SCB:U8, bitsandbytes, 8-bit bitsandbytes",
    "l.weight:U8 l.weight.quant_state.bitsandbytes__nf4:U8, bitsandbytes, 4-bit bitsandbytes",
    "l.qweight:I8 l.g_idx:I8, '', GPTQ",
    "l.qweight:I8 l.qzeros:I8, awq, AWQ",
    "l.qweight:I8, '', AWQ or GPTQ",
    "l.weight_packed:I8, compressed-tensors, compressed-tensors",
    "l.weight:U8 l.weight_scale:F8_E4M3 l.weight_scale_2:U8, '', NVFP4",
    "l.weight:F8_E4M3, '', FP8 without scales",
    "l.weight:F8_E5M2 l.scale_weight:U8, '', FP8",
    "l.weight:I8 l.weight_scale:U8, '', 8-bit integers",
    "l.weight:U8 l.scales:U8, '', MLX",
    "l.weight._data:I8 l.weight._scale:U8, '', Quanto",
    "l.weight:U8, hqq, hqq"
  })
  void aQuantizedModelIsRefusedByTheNameOfItsQuantization(
      String tensors, String method, String name) throws IOException {
    write(tensors, "{\"quantization_config\":{\"quant_method\":\"%s\"}}".formatted(method));
    assertThatThrownBy(() -> Model.open(folder).close())
        .isInstanceOf(InvalidModelException.class)
        .hasMessageStartingWith(folder + ": is quantized (" + name + "), so its elements are codes")
        .hasMessageContaining(
            Arrays.asList("FP8", "FP8 without scales", "8-bit bitsandbytes", "4-bit bitsandbytes")
                    .contains(name)
                ? "nola dequantize"
                : "use the original model");
    try (Model model = Model.openQuantized(folder)) {
      assertThat(model.quantization()).map(Quantization::name).contains(name);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "l.weight_scale_inv:U8",
        "l.weight:BOOL l.weight_scale_inv:U8",
        "l.SCB:BOOL l.g_idx:I8",
        "experts.gate_up_proj_blocks:BOOL l.weight_scale_2:U8",
        "l.weight.quant_state.bitsandbytes__nf4:U8"
      })
  void nameOfAScale_withoutCodes_isNoMark(String tensors) throws IOException {
    write(tensors, "{}");
    Model.open(folder).close();
  }

  @Test
  void tensorsWithValuesAreAcceptedWhateverTheConfigSays() throws IOException {
    write("flag:BOOL", "{\"quantization_config\":{\"quant_method\":\"bitsandbytes\"}}");
    Model.open(folder).close();
    write("codes:U8", "{}");
    Model.open(folder).close();
    write("codes:U8", "not JSON");
    Model.open(folder).close();
  }
}
