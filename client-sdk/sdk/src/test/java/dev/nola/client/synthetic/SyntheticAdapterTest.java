package dev.nola.client.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.google.re2j.Pattern;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.MatrixView;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.BaseIdentity;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticAdapterTest {
  private static final List<Slot> TENSORS =
      List.of(
          new Slot("layers.0.q.weight", "F32", List.of(24L, 16L), 24 * 16 * 4),
          new Slot("layers.0.q.bias", "F32", List.of(24L), 24 * 4),
          new Slot("layers.1.q.weight", "BF16", List.of(24L, 16L), 24 * 16 * 2),
          new Slot("conv.weight", "F16", List.of(6L, 4L, 3L, 3L), 216 * 2),
          new Slot("mask", "U8", List.of(4L, 4L), 16));

  @TempDir private Path folder;

  @Test
  void matchingTensorsAreAdaptedAndBiasesLeftAlone() throws Exception {
    try (Model base = base()) {
      AdapterFile file =
          SyntheticAdapter.builder()
              .generator(Generator.UNIFORM8)
              .rank(3)
              .coefficients(10, 12)
              .bits(5)
              .seed(7)
              .baseName("some/model")
              .build()
              .forModel(base, Pattern.compile("\\.q\\."));

      List<Layer> layers = file.adapter().layers();
      assertThat(layers)
          .extracting(Layer::tensor)
          .containsExactly("layers.0.q.weight", "layers.1.q.weight");
      assertThat(layers).extracting(Layer::stream).containsExactly(0, 1);
      assertThat(layers.getFirst().coefficients())
          .isInstanceOfSatisfying(
              LowRank.class,
              c -> {
                assertThat(c.rank()).isEqualTo(3);
                assertThat(c.alpha().count()).isEqualTo(10);
                assertThat(c.beta().count()).isEqualTo(12);
                assertThat(c.alpha().bits()).isEqualTo(5);
              });
      assertThat(file.adapter().seed()).isEqualTo(7);
      assertThat(file.adapter().generator()).isEqualTo(Generator.UNIFORM8);
      Reconstructor.standard().verify(AdapterFile.read(file.toBytes()));
    }
  }

  @Test
  void theBaseIsNamedAndIdentifiedByItsAdaptedTensors() throws Exception {
    try (Model base = base()) {
      AdapterFile file =
          SyntheticAdapter.builder()
              .baseName("some/model")
              .build()
              .forModel(base, Pattern.compile("^layers\\.1"));

      MemorySegment data = base.tensors().get("layers.1.q.weight").data();
      assertThat(file.adapter().base().name()).isEqualTo("some/model");
      assertThat(file.adapter().base().identity())
          .isEqualTo(
              BaseIdentity.of(
                  List.of(
                      BaseIdentity.Tensor.of(
                          "layers.1.q.weight", DType.BF16, List.of(24, 16), data))));
    }
  }

  @Test
  void equalSettingsGiveEqualBytesAndAnotherSeedOthers() throws Exception {
    try (Model base = base()) {
      Pattern all = Pattern.compile("");
      byte[] once = SyntheticAdapter.builder().seed(1).build().forModel(base, all).toBytes();

      assertThat(SyntheticAdapter.builder().seed(1).build().forModel(base, all).toBytes())
          .isEqualTo(once);
      AdapterFile other = SyntheticAdapter.builder().seed(2).build().forModel(base, all);
      assertThat(other.adapter().layers().getFirst().coefficients())
          .isNotEqualTo(AdapterFile.read(once).adapter().layers().getFirst().coefficients());
    }
  }

  @Test
  void layersThatShareTheBasisHaveOneStreamAndCodesOfTheirOwn() throws Exception {
    AdapterFile file =
        SyntheticAdapter.builder()
            .sharedBasis(true)
            .build()
            .forShapes(Map.of("a.0", List.of(32, 32), "a.1", List.of(32, 32)));

    assertThat(file.adapter().layers()).extracting(Layer::stream).containsExactly(0, 0);
    assertThat(file.adapter().layers().getFirst().coefficients())
        .isNotEqualTo(file.adapter().layers().getLast().coefficients());
  }

  @Test
  void streamsCountInFileOrder() throws Exception {
    Map<String, List<Integer>> shapes = new TreeMap<>();
    for (int i = 0; i < 12; i++) {
      shapes.put("layers." + i + ".k", List.of(16, 16));
      shapes.put("layers." + i + ".q", List.of(16, 16));
    }

    AdapterFile file = SyntheticAdapter.builder().build().forShapes(shapes);

    assertThat(file.adapter().layers())
        .extracting(Layer::stream)
        .isEqualTo(IntStream.range(0, 24).boxed().toList());
    assertThat(file.adapter().layers().get(2).tensor()).isEqualTo("layers.2.k");
    assertThat(file.adapter().base().identity()).isNull();
  }

  @Test
  void aConvolutionIsViewedAsNearlySquare() throws Exception {
    try (Model base = base()) {
      AdapterFile file = SyntheticAdapter.builder().build().forModel(base, Pattern.compile("conv"));

      Layer layer = file.adapter().layers().getFirst();
      assertThat(layer.shape()).containsExactly(6, 4, 3, 3);
      assertThat(layer.rows()).isEqualTo(12);
      assertThat(layer.cols()).isEqualTo(18);
    }
  }

  @ParameterizedTest
  @CsvSource({"7, 1, 7", "36, 6, 6", "216, 12, 18", "1, 1, 1", "1000, 25, 40"})
  void theViewIsTheMostNearlySquareOne(int elements, int rows, int cols) {
    assertThat(MatrixView.of("t", List.of(elements, 1, 1))).isEqualTo(new MatrixView(rows, cols));
  }

  @Test
  void theDirectFormHasNoRank() throws Exception {
    AdapterFile file =
        SyntheticAdapter.builder()
            .direct(true)
            .coefficients(50, 1)
            .build()
            .forShapes(Map.of("w", List.of(30, 20)));

    assertThat(file.adapter().layers().getFirst().coefficients())
        .isInstanceOfSatisfying(Direct.class, c -> assertThat(c.alpha().count()).isEqualTo(50));
  }

  @ParameterizedTest
  @EnumSource(Generator.class)
  void theDeltaHasTheMagnitudeAskedFor(Generator generator) throws Exception {
    for (boolean direct : List.of(false, true)) {
      AdapterFile file =
          SyntheticAdapter.builder()
              .generator(generator)
              .direct(direct)
              .coefficients(100, 200)
              .deltaRms(2e-3)
              .seed(3)
              .build()
              .forShapes(Map.of("w", List.of(256, 192)));

      assertThat(rms(file)).isCloseTo(2e-3, within(4e-4));
    }
  }

  @Test
  void aPatternThatMatchesNothingIsAnsweredWithNames() throws Exception {
    try (Model base = base()) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> SyntheticAdapter.builder().build().forModel(base, Pattern.compile("query")))
          .withMessageContaining("query")
          .withMessageContaining("layers.0.q.weight");
    }
  }

  @Test
  void aPatternThatMatchesOnlyWhatCannotBeAdaptedSaysSo() throws Exception {
    try (Model base = base()) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> SyntheticAdapter.builder().build().forModel(base, Pattern.compile("bias|mask")))
          .withMessageContaining("two dimensions")
          .withMessageContaining("layers.0.q.bias F32[24]")
          .withMessageContaining("mask U8[4, 4]");
    }
  }

  @Test
  void moreCoefficientsThanTheTransformHasColumnsAreRefused() {
    SyntheticAdapter synthetic = SyntheticAdapter.builder().rank(2).coefficients(33, 8).build();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> synthetic.forShapes(Map.of("w", List.of(16, 16))))
        .withMessageContaining("33 coefficients")
        .withMessageContaining("at most 32")
        .withMessageContaining("philox-srht");
  }

  @Test
  void aRankAboveBothDimensionsIsLegal() throws Exception {
    AdapterFile file =
        SyntheticAdapter.builder().rank(40).build().forShapes(Map.of("w", List.of(8, 8)));

    assertThat(file.adapter().layers().getFirst().coefficients())
        .isInstanceOfSatisfying(LowRank.class, c -> assertThat(c.rank()).isEqualTo(40));
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    SyntheticAdapter.Builder builder = SyntheticAdapter.builder();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.rank(0))
        .withMessage("invalid rank: 0; must be at least 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.coefficients(1, 0))
        .withMessageContaining("invalid l: 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.bits(17))
        .withMessageContaining("17");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.deltaRms(0))
        .withMessageContaining("0.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.build().forShapes(Map.of("bias", List.of(5))))
        .withMessageContaining("bias");
  }

  private static double rms(AdapterFile file) throws Exception {
    Factors factors =
        Reconstructor.standard().open(file.adapter()).apply(file.adapter().layers().getFirst());
    double sum = 0;
    for (int i = 0; i < factors.layer().rows(); i++) {
      for (double value : factors.deltaRow(i)) {
        sum += value * value;
      }
    }
    return Math.sqrt(sum / factors.layer().elements());
  }

  private Model base() throws Exception {
    Path path = folder.resolve("model.safetensors");
    Random random = new Random(1);
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, TENSORS, Map.of())) {
      for (Slot slot : TENSORS) {
        byte[] bytes = new byte[(int) slot.bytes()];
        random.nextBytes(bytes);
        writer.write(slot.name(), MemorySegment.ofArray(bytes));
      }
    }
    return Model.open(path);
  }
}
