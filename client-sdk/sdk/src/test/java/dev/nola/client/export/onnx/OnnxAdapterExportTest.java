package dev.nola.client.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.export.LoraExport;
import dev.nola.client.export.TestLayers;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** interop/peft reads such files by ONNX Runtime. */
class OnnxAdapterExportTest {
  @TempDir private Path folder;

  private final TestLayers layers = new TestLayers();

  @ParameterizedTest
  @CsvSource({"F32, 1", "F16, 10", "BF16, 16"})
  void fileHasPeftsFactorsTransposed(DType dtype, int type) throws Exception {
    String query = "model.layers.0.self_attn.q_proj";
    String up = "model.layers.0.mlp.up_proj";
    AdapterFile file = TestLayers.seal(layers.matrix(query, 6, 4, 3), layers.matrix(up, 8, 4, 3));
    Path peft = folder.resolve("peft");
    LoraExport.of(file, PeftFormat.STANDARD).dtype(dtype).build().write(peft);
    Path adapters = folder.resolve("x.onnx_adapter");

    LoraExport.of(file, new OnnxAdapterFormat()).dtype(dtype).build().write(adapters);

    List<Parameter> read = parameters(Files.readAllBytes(adapters));
    assertThat(read)
        .extracting(Parameter::name)
        .containsExactlyInAnyOrder(
            query + ".lora_A.weight",
            query + ".lora_B.weight",
            up + ".lora_A.weight",
            up + ".lora_B.weight");
    assertThat(read).extracting(Parameter::type).containsOnly(type);
    try (SafetensorsFile weights = SafetensorsFile.open(peft.resolve(PeftFormat.WEIGHTS))) {
      for (Parameter parameter : read) {
        Tensor factor = weights.tensors().get("base_model.model." + parameter.name);
        assertThat(parameter.dims).isEqualTo(factor.shape().reversed());
        assertThat(parameter.data).isEqualTo(transposed(factor, dtype.bytes()));
      }
    }
  }

  private static byte[] transposed(Tensor factor, int size) {
    byte[] data = factor.data().toArray(ValueLayout.JAVA_BYTE);
    int cols = factor.shape().getLast().intValue();
    int rows = factor.shape().getFirst().intValue();
    byte[] transposed = new byte[data.length];
    for (int i = 0; i < rows * cols; i++) {
      System.arraycopy(data, i * size, transposed, (i % cols * rows + i / cols) * size, size);
    }
    return transposed;
  }

  private record Parameter(String name, List<Long> dims, int type, byte[] data) {}

  /** Reads the FlatBuffer by the offsets of its tables. */
  private static List<Parameter> parameters(byte[] file) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(new String(file, 4, 4, StandardCharsets.US_ASCII)).isEqualTo("TORT");
    int adapter = bytes.getInt(0);
    assertThat(bytes.getInt(field(bytes, adapter, 0))).isEqualTo(1); // format_version
    int list = indirect(bytes, field(bytes, adapter, 3));
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < bytes.getInt(list); i++) {
      int table = indirect(bytes, list + 4 + 4 * i);
      int name = indirect(bytes, field(bytes, table, 0));
      int dims = indirect(bytes, field(bytes, table, 1));
      int data = indirect(bytes, field(bytes, table, 3));
      assertThat((data + 4) % 8).isZero();
      byte[] raw = new byte[bytes.getInt(data)];
      bytes.get(data + 4, raw);
      parameters.add(
          new Parameter(
              new String(file, name + 4, bytes.getInt(name), StandardCharsets.UTF_8),
              List.of(bytes.getLong(dims + 4), bytes.getLong(dims + 12)),
              bytes.getInt(field(bytes, table, 2)),
              raw));
    }
    return parameters;
  }

  /** Returns where a field of a table is. */
  private static int field(ByteBuffer bytes, int table, int number) {
    int vtable = table - bytes.getInt(table);
    int offset = bytes.getShort(vtable + 4 + 2 * number);
    assertThat(offset).isPositive();
    return table + offset;
  }

  private static int indirect(ByteBuffer bytes, int place) {
    return place + bytes.getInt(place);
  }
}
