package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DequantizeTest {
  private static final String WEIGHT = "model.layers.0.self_attn.q_proj.weight";

  @TempDir private Path folder;
  private String base = "";
  private String plain = "";

  @BeforeEach
  void writeBase() throws IOException {
    Path path = Files.createDirectory(folder.resolve("fp8"));
    List<Slot> slots =
        List.of(
            new Slot(WEIGHT, "F8_E4M3", List.of(8L, 8L), 64),
            new Slot(WEIGHT + "_scale_inv", "F32", List.of(1L, 1L), 4));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(path.resolve(Model.SINGLE), slots, Map.of())) {
      writer.write(WEIGHT, MemorySegment.ofArray(new byte[64]));
      writer.write(WEIGHT + "_scale_inv", MemorySegment.ofArray(new float[] {2}));
    }
    base = path.toString();
    plain = folder.resolve("plain").toString();
  }

  private Nola synth(String model) {
    String file = folder.resolve("a.nola").toString();
    return Nola.run(
        "synth",
        "--base",
        model,
        "--targets",
        "q_proj",
        "--rank",
        "2",
        "--k",
        "8",
        "--l",
        "8",
        "-o",
        file);
  }

  @Test
  void aQuantizedBaseIsRefusedAndItsPlainCopyTaken() {
    Nola refused = synth(base);
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("nola synth: " + base + ": is quantized (FP8)")
        .contains("nola dequantize BASE -o DIR");
    Nola made = Nola.run("dequantize", base, "--dtype", "f16", "-o", plain);
    assertThat(made.err()).isEmpty();
    assertThat(made.out())
        .isEqualTo("wrote %s: 1 tensor of FP8 as F16, 0 copied, 128 B%n".formatted(plain));
    assertThat(synth(plain).exitCode()).isZero();
  }

  @Test
  void reportIsJson() {
    Nola made = Nola.run("dequantize", base, "-o", plain, "--json");
    assertThat(made.json().path("quantization").asString()).isEqualTo("FP8");
    assertThat(made.json().path("dtype").asString()).isEqualTo("BF16");
    assertThat(made.json().path("output").asString()).isEqualTo(plain);
  }

  @Test
  void destinationIsNotReplaced() {
    Nola refused = Nola.run("dequantize", base, "-o", base);
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err()).contains("already exists");
  }
}
