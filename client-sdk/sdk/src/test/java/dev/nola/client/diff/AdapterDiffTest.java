package dev.nola.client.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nola.client.Adapters;
import dev.nola.client.diff.AdapterDiff.LayerDiff;
import dev.nola.client.diff.AdapterDiff.Where;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdapterDiffTest {
  private static final Codes CODES = Codes.of(4, 1, 15, 7, 2);

  private static AdapterFile file(Layer... layers) throws LimitExceededException {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.UNIFORM8).seed(1);
    List.of(layers).forEach(adapter::layer);
    return Reconstructor.standard().seal(adapter.build());
  }

  private static Layer layer(String tensor, int stream, float scale) {
    return Layer.ofMatrix(tensor, 6, 5, stream, scale, new LowRank(2, CODES, CODES));
  }

  @Test
  void anAdapterDoesNotDifferFromItself() throws LimitExceededException {
    AdapterDiff diff = AdapterDiff.of(Adapters.small(1), Adapters.small(1));
    assertThat(diff.sameBits()).isTrue();
    assertThat(diff.fields()).isEmpty();
    assertThat(diff.layers()).extracting(LayerDiff::where).containsOnly(Where.SAME);
  }

  @Test
  void layersThatOnlyOneHasAreTold() throws LimitExceededException {
    AdapterDiff diff =
        AdapterDiff.of(
            file(layer("a", 0, 1), layer("b", 1, 1)), file(layer("b", 1, 1), layer("c", 2, 1)));
    assertThat(diff.sameBits()).isFalse();
    assertThat(diff.layers())
        .containsExactly(
            new LayerDiff("a", null, Where.FIRST, null),
            new LayerDiff("b", null, Where.SAME, 0.0),
            new LayerDiff("c", null, Where.SECOND, null));
  }

  @Test
  void theDistanceIsThatOfTheDeltas() throws LimitExceededException {
    AdapterFile one = file(layer("a", 0, 1));
    AdapterFile two = file(layer("a", 7, 0.5f));
    double difference = 0;
    double norm = 0;
    Factors first = factors(one);
    Factors second = factors(two);
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 5; j++) {
        double d = first.deltaRow(i)[j] - second.deltaRow(i)[j];
        difference += d * d;
        norm += first.deltaRow(i)[j] * first.deltaRow(i)[j];
      }
    }
    LayerDiff layer = AdapterDiff.of(one, two).layers().getFirst();
    assertThat(layer.where()).isEqualTo(Where.CHANGED);
    assertThat(layer.distance()).isCloseTo(Math.sqrt(difference / norm), within(1e-9));
  }

  @Test
  void doubledDeltasAreADistanceOfOneApartWhateverTheForm() throws LimitExceededException {
    assertThat(
            AdapterDiff.of(file(layer("a", 0, 1)), file(layer("a", 0, 2)))
                .layers()
                .getFirst()
                .distance())
        .isCloseTo(1, within(1e-7));
    Layer direct = Layer.ofMatrix("a", 6, 5, 0, 1, new Direct(CODES));
    Layer doubled = Layer.ofMatrix("a", 6, 5, 0, 2, new Direct(CODES));
    assertThat(AdapterDiff.of(file(direct), file(doubled)).layers().getFirst().distance())
        .isEqualTo(1);
  }

  @Test
  void anotherShapeHasNoDistance() throws LimitExceededException {
    AdapterDiff diff =
        AdapterDiff.of(
            file(layer("a", 0, 1)),
            file(Layer.ofMatrix("a", 5, 6, 0, 1, new LowRank(2, CODES, CODES))));
    assertThat(diff.layers()).containsExactly(new LayerDiff("a", null, Where.CHANGED, null));
  }

  @Test
  void fieldsAndDenseTensorsAreCompared() throws LimitExceededException {
    Adapter.Builder one = Adapter.builder().generator(Generator.SRHT).seed(1);
    Adapter.Builder two = Adapter.builder().generator(Generator.SRHT).seed(2);
    one.dense(dense("head", 1)).dense(dense("old", 1));
    two.dense(dense("head", 2)).dense(dense("new", 1));
    AdapterDiff diff =
        AdapterDiff.of(
            Reconstructor.standard().seal(one.build()), Reconstructor.standard().seal(two.build()));
    assertThat(diff.fields())
        .containsExactly(new AdapterDiff.Field("seed", "0x0000000000000001", "0x0000000000000002"));
    assertThat(diff.dense())
        .containsExactly(
            new AdapterDiff.DenseDiff("head", Where.CHANGED),
            new AdapterDiff.DenseDiff("old", Where.FIRST),
            new AdapterDiff.DenseDiff("new", Where.SECOND));
  }

  private static DenseTensor dense(String name, int value) {
    return new DenseTensor(
        name, DType.F16, List.of(1), MemorySegment.ofArray(new byte[] {(byte) value, 0}));
  }

  private static Factors factors(AdapterFile file) throws LimitExceededException {
    return Reconstructor.standard().open(file.adapter()).apply(file.adapter().layers().getFirst());
  }
}
