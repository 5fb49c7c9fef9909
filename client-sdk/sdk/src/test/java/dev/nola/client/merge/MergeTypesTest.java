package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The merged model in another type than the base model. */
class MergeTypesTest {
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir private Path folder;

  private static AdapterFile adapter(String... tensors) throws IOException {
    Codes codes = Codes.of(4, 1, 15, 3);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(1);
    int stream = 0;
    for (String tensor : tensors) {
      LowRank coefficients = new LowRank(1, codes, codes);
      adapter.layer(Layer.ofMatrix(tensor, 30, 40, stream++, 0x1p-9f, coefficients));
    }
    return Reconstructor.standard().seal(adapter.build());
  }

  private static TestModel model() {
    MemorySegment doubles = MemorySegment.ofArray(new byte[3 * Double.BYTES]);
    doubles.set(DOUBLE, 0, 1 + 0x1p-30);
    doubles.set(DOUBLE, 8, Double.NaN);
    doubles.set(DOUBLE, 16, Double.NEGATIVE_INFINITY);
    return new TestModel()
        .with("f32", DType.F32, 30, 40)
        .with("f16", DType.F16, 30, 40)
        .with("bf16", DType.BF16, 30, 40)
        .with("norm", DType.F32, 700, 300)
        .with(new Slot("double", "F64", List.of(3L), 24), doubles)
        .with(new Slot("ids", "I64", List.of(1L), 8), MemorySegment.ofArray(new byte[8]));
  }

  private static float[] floats(Tensor tensor) {
    DType dtype = tensor.adaptableType().orElseThrow();
    float[] values = new float[(int) tensor.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = TestModel.get(dtype, tensor.data(), i);
    }
    return values;
  }

  private static float rounded(float value, DType dtype) {
    MemorySegment element = MemorySegment.ofArray(new byte[4]);
    TestModel.set(dtype, element, 0, value);
    return TestModel.get(dtype, element, 0);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyFloatingTensorIsRoundedOnceFromF32(DType dtype) throws Exception {
    TestModel model = model();
    Path base = model.writeShards(folder.resolve("base"), 2);
    Files.writeString(base.resolve("config.json"), "{\"torch_dtype\": \"float32\"}");
    AdapterFile adapter = adapter("bf16", "f16", "f32");
    ModelMerge.Report report =
        ModelMerge.into(base)
            .adapter(adapter, 0.7)
            .dtype(dtype)
            .threads(2)
            .build()
            .write(folder.resolve("merged"));
    try (Model before = Model.open(base);
        Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().keySet()).isEqualTo(before.tensors().keySet());
      for (String name : List.of("f32", "f16", "bf16", "norm")) {
        float[] wide = floats(before.tensors().get(name));
        if (!name.equals("norm")) {
          MemorySegment weights = MemorySegment.ofArray(wide);
          byte[] sum =
              PlainMerge.merge(
                  name,
                  DType.F32,
                  List.of(30, 40),
                  MemorySegment.ofArray(weights.toArray(ValueLayout.JAVA_BYTE)),
                  List.of(adapter.adapter()),
                  new double[] {0.7});
          MemorySegment.copy(MemorySegment.ofArray(sum), 0, weights, 0, sum.length);
        }
        float[] actual = floats(merged.tensors().get(name));
        assertThat(merged.tensors().get(name).type()).isEqualTo(dtype.name());
        for (int i = 0; i < wide.length; i++) {
          assertThat(actual[i]).as("%s %d", name, i).isEqualTo(rounded(wide[i], dtype));
        }
      }
      assertThat(floats(merged.tensors().get("double")))
          .containsExactly(1, Float.NaN, Float.NEGATIVE_INFINITY);
      assertThat(merged.tensors().get("ids").type()).isEqualTo("I64");
      assertThat(report.merged()).isEqualTo(3);
      assertThat(report.typeChanged()).isEqualTo(dtype == DType.F32 ? 1 : 2);
      assertThat(report.copied()).isEqualTo(dtype == DType.F32 ? 2 : 1);
      assertThat(merged.index().get("metadata").get("total_size").asLong())
          .isEqualTo(report.bytes())
          .isEqualTo((3L * 1_200 + 210_000 + 3) * dtype.bytes() + 8);
    }
  }

  @Test
  void slicesAreMergedAsInTheBasesType() throws Exception {
    Path base =
        new TestModel().with("w", DType.BF16, 30, 40).writeFile(folder.resolve("b.safetensors"));
    Codes codes = Codes.of(4, 1, 15, 3);
    LowRank coefficients = new LowRank(1, codes, codes);
    Layer layer =
        new Layer("w", List.of(30, 40), new Slice(1, 7, 20), 30, 20, 0, 0x1p-9f, coefficients);
    AdapterFile adapter =
        Reconstructor.standard()
            .seal(Adapter.builder().generator(Generator.RADEMACHER).seed(1).layer(layer).build());
    Path merged = folder.resolve("m.safetensors");
    ModelMerge.into(base).adapter(adapter).dtype(DType.F32).build().write(merged);
    try (Model before = Model.open(base);
        Model after = Model.open(merged)) {
      byte[] expected =
          PlainMerge.merge(
              "w",
              DType.F32,
              List.of(30, 40),
              MemorySegment.ofArray(
                  MemorySegment.ofArray(floats(before.tensors().get("w")))
                      .toArray(ValueLayout.JAVA_BYTE)),
              List.of(adapter.adapter()),
              new double[] {1});
      assertThat(after.tensors().get("w").data().toArray(ValueLayout.JAVA_BYTE))
          .isEqualTo(expected);
    }
  }

  @Test
  void denseTensorsAreConvertedAndTheConfigFollows() throws Exception {
    String config =
        """
        {"dtype": "float32", "text_config": {"torch_dtype": "float32", "vision_config": {"dtype": "y"}},
         "quantization_config": {"dtype": "float"}, "n": {"dtype": "z"},
         "encoder": {"model_type": "bert", "dtype": "float32"}}
        """;
    Path base = new TestModel().with("w", DType.F32, 2).writeFolder(folder.resolve("b"), config);
    MemorySegment one = MemorySegment.ofArray(new byte[4]);
    TestModel.set(DType.F32, one, 0, 1 + 0x1p-20f);
    AdapterFile adapter =
        Reconstructor.standard()
            .seal(
                Adapter.builder()
                    .generator(Generator.RADEMACHER)
                    .dense(new DenseTensor("new", DType.F32, List.of(1), one))
                    .build());
    ModelMerge.into(base).adapter(adapter).dtype(DType.F16).build().write(folder.resolve("m"));
    try (Model merged = Model.open(folder.resolve("m"))) {
      assertThat(floats(merged.tensors().get("new"))).containsExactly(1);
      assertThat(merged.tensors().get("new").type()).isEqualTo("F16");
    }
    JsonNode written =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("m/config.json")));
    assertThat(written)
        .isEqualTo(
            JsonMapper.shared()
                .readTree(config.replace("float32", "float16").replace("\"y\"", "\"float16\"")));
  }

  private static AdapterFile replacing(String tensor, DType dtype, float... values)
      throws IOException {
    MemorySegment data = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
    for (int i = 0; i < values.length; i++) {
      TestModel.set(dtype, data, i, values[i]);
    }
    return Reconstructor.standard()
        .seal(
            Adapter.builder()
                .generator(Generator.RADEMACHER)
                .dense(new DenseTensor(tensor, dtype, List.of(values.length), data))
                .build());
  }

  @ParameterizedTest
  @CsvSource({"F16,F32", "BF16,F32", "F32,F16", "F32,BF16", "F16,BF16", "BF16,F16", "F16,F16"})
  void denseTensor_ofAnotherFloatingType_getsTheTypeOfTheOneItReplaces(DType stored, DType type)
      throws Exception {
    float[] values = {1.001f, -3.25f, 0, 1e-7f, 60_000, Float.NaN};
    Path base = new TestModel().with("w", type, values.length).writeFile(folder.resolve("base"));
    AdapterFile adapter = replacing("w", stored, values);

    ModelMerge.into(base).adapter(adapter).build().write(folder.resolve("merged"));

    try (Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().get("w").type()).isEqualTo(type.name());
      float[] actual = floats(merged.tensors().get("w"));
      for (int i = 0; i < values.length; i++) {
        assertThat(actual[i]).isEqualTo(Float.valueOf(rounded(rounded(values[i], stored), type)));
      }
    }
  }

  @Test
  void denseTensor_tooLargeForTheTypeOfTheOneItReplaces_isRefused() throws Exception {
    Path base = new TestModel().with("w", DType.F16, 2).writeFile(folder.resolve("base"));
    AdapterFile adapter = replacing("w", DType.F32, 1, 65_520);
    ModelMerge merge = ModelMerge.into(base).adapter(adapter).build();

    MergeRefusedException refused =
        catchThrowableOfType(
            MergeRefusedException.class, () -> merge.write(folder.resolve("merged")));

    assertThat(refused.reason()).isEqualTo(MergeRefusedException.Reason.OVERFLOW);
    assertThat(refused).hasMessageStartingWith("weight too large for F16: tensor w, element 1");
    assertThat(folder.resolve("merged")).doesNotExist();
  }

  @Test
  void configWithoutATypeGetsOne() throws Exception {
    Path base =
        new TestModel().with("f32", DType.F32, 30, 40).writeFolder(folder.resolve("b"), "{}");
    ModelMerge.into(base)
        .adapter(adapter("f32"))
        .dtype(DType.BF16)
        .build()
        .write(folder.resolve("m"));
    assertThat(Files.readString(folder.resolve("m/config.json")))
        .contains("\"torch_dtype\" : \"bfloat16\"");
  }

  @Test
  void configWithPythonsNumbers_keepsThem() throws Exception {
    String config = "{\"time_step_limit\":[0.0,Infinity],\"x\":[-Infinity,NaN]}";
    Path base =
        new TestModel().with("f32", DType.F32, 30, 40).writeFolder(folder.resolve("b"), config);
    ModelMerge merge = ModelMerge.into(base).adapter(adapter("f32")).build();
    merge.write(folder.resolve("same"));
    assertThat(folder.resolve("same/config.json")).hasContent(config);

    ModelMerge.into(base)
        .adapter(adapter("f32"))
        .dtype(DType.BF16)
        .build()
        .write(folder.resolve("m"));

    assertThat(Files.readString(folder.resolve("m/config.json")))
        .contains("[ 0.0, Infinity ]", "[ -Infinity, NaN ]", "bfloat16");
  }

  @Test
  void weightTooLargeForTheTypeIsRefused() throws Exception {
    MemorySegment large = MemorySegment.ofArray(new byte[8]);
    TestModel.set(DType.F32, large, 1, 65_520);
    Path base =
        model()
            .with(new Slot("large", "F32", List.of(2L), 8), large)
            .writeFile(folder.resolve("base.safetensors"));
    ModelMerge merge = ModelMerge.into(base).adapter(adapter("f32")).dtype(DType.F16).build();
    MergeRefusedException refused =
        catchThrowableOfType(
            MergeRefusedException.class, () -> merge.write(folder.resolve("m.safetensors")));
    assertThat(refused.reason()).isEqualTo(MergeRefusedException.Reason.OVERFLOW);
    assertThat(refused)
        .hasMessage("weight too large for F16: tensor large, element 1; choose another type");
    assertThat(folder.resolve("m.safetensors")).doesNotExist();
  }

  @Test
  void eightBitWeightsAreLeftAndSaid() throws Exception {
    Path base =
        model()
            .with(
                new Slot("q", "F8_E4M3", List.of(4L), 4),
                MemorySegment.ofArray(new byte[] {1, 2, 3, 4}))
            .writeFile(folder.resolve("base.safetensors"));
    ModelMerge.Report report =
        ModelMerge.into(base)
            .adapter(adapter("f32"))
            .dtype(DType.F16)
            .build()
            .write(folder.resolve("m.safetensors"));
    assertThat(report.warnings())
        .anyMatch(said -> said.contains("tensors of type F8_E4M3 were not converted: 1"));
  }
}
