package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import com.google.re2j.Pattern;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The file of a LoRA: its factors, quantized, as coefficients of the identity basis. */
class StoredLoraTest {
  private static final int IN = 24;
  private static final int OUT = 17;
  private static final int RANK = 3;
  private static final double SCALING = 6;
  private static final String WEIGHT = "layers.0.weight";

  private static Recipe recipe(int quantizationAwareBits) {
    return new Recipe(
        Method.LORA,
        Pattern.compile("."),
        new Recipe.Size(View.LAYER, RANK, 8, 8),
        new Recipe.Bases(Generator.IDENTITY, 11, false, false),
        Scaling.of(SCALING),
        Recipe.Rounding.always(quantizationAwareBits));
  }

  private static BaseModel base() {
    return BaseModel.fromScratch(new Mlp(List.of(IN, OUT)));
  }

  private static AdapterFile file(
      BaseModel base, List<Adaptation> adaptations, Recipe recipe, int bits) throws Exception {
    return TrainedAdapter.toFile(
        base, "", adaptations, recipe, new Storage(bits, DType.F32), Metadata.NONE);
  }

  /** Returns the weight that a forward pass uses. */
  private static float[] weight(BaseModel base, List<Adaptation> adaptations) {
    AdaptedWeights weights = new AdaptedWeights(base, adaptations, Kernels.vector());
    weights.prepare();
    try (NDManager step = Tensors.newManager()) {
      weights.begin(step, false);
      return weights.tensor(WEIGHT).toFloatArray();
    }
  }

  /** Returns c/r·B·A of the unquantized parameters. */
  private static double[] product(List<Adaptation> adaptations) {
    float[] b = values(adaptations, WEIGHT + ".lora_B");
    float[] a = values(adaptations, WEIGHT + ".lora_A");
    double[] product = new double[OUT * IN];
    for (int row = 0; row < OUT; row++) {
      for (int column = 0; column < IN; column++) {
        for (int i = 0; i < RANK; i++) {
          product[row * IN + column] += SCALING / RANK * b[row * RANK + i] * a[i * IN + column];
        }
      }
    }
    return product;
  }

  private static float[] values(List<Adaptation> adaptations, String name) {
    return adaptations.stream()
        .flatMap(adaptation -> adaptation.parameters().stream())
        .filter(parameter -> parameter.name().equals(name))
        .findFirst()
        .orElseThrow()
        .values();
  }

  private static double relativeError(float[] actual, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      norm += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / norm);
  }

  @Test
  void fileHasOneCodeForEachElement_andDrawsNothing() throws Exception {
    try (BaseModel base = base()) {
      Recipe recipe = recipe(0);
      AdapterFile file = file(base, Adaptations.of(base, recipe, 0), recipe, 5);

      assertThat(file.adapter().generator()).isEqualTo(Generator.IDENTITY);
      assertThat(file.adapter().seed()).isZero();
      assertThat(file.adapter().dense())
          .extracting(tensor -> tensor.name())
          .containsExactly("layers.0.bias");
      Layer layer = file.adapter().layers().getFirst();
      assertThat(layer.tensor()).isEqualTo(WEIGHT);
      assertThat(layer.shape()).containsExactly(OUT, IN);
      assertThat(layer.stream()).isZero();
      LowRank factors = (LowRank) layer.coefficients();
      assertThat(factors.rank()).isEqualTo(RANK);
      assertThat(factors.alpha().count()).isEqualTo(OUT * RANK);
      assertThat(factors.beta().count()).isEqualTo(RANK * IN);
      assertThat(List.of(factors.alpha(), factors.beta())).extracting(Codes::bits).containsOnly(5);
    }
  }

  @Test
  void fileOf16Bits_isTheLoraItself() throws Exception {
    try (BaseModel base = base()) {
      Recipe recipe = recipe(0);
      List<Adaptation> adaptations = Adaptations.of(base, recipe, 0);
      AdapterFile file = file(base, adaptations, recipe, 16);

      float[] stored = weight(base, TrainedAdapter.ofFile(base, file));

      assertThat(relativeError(stored, product(adaptations))).isBetween(1e-8, 1e-4);
      Factors factors = Reconstructor.standard().verifiedFactors(file).getFirst();
      assertThat(factors.a()).hasSize(OUT * RANK);
      assertThat(factors.b()).hasSize(RANK * IN);
    }
  }

  /** What is trained is what the file reconstructs to. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 8, 16})
  void quantizationAwareTraining_computesWithTheWeightsOfTheFile(int bits) throws Exception {
    try (BaseModel base = base()) {
      Recipe recipe = recipe(bits);
      List<Adaptation> adaptations = Adaptations.of(base, recipe, 0);

      float[] stored =
          weight(base, TrainedAdapter.ofFile(base, file(base, adaptations, recipe, bits)));

      float[] trained = weight(base, adaptations);
      for (int i = 0; i < trained.length; i++) {
        assertThat(stored[i]).isCloseTo(trained[i], within(1e-5f));
      }
    }
  }

  /** No level of a code is zero, but B is at the start, so that ΔW is. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 16})
  void factorOfZeros_isZero(int bits) {
    BasisSide zero =
        new BasisSide(
            new Basis(Generator.IDENTITY, 0, 0, Side.A, OUT * RANK),
            new Parameter("zero", new float[OUT * RANK]));
    assertThat(zero.quantized(bits).step()).isZero();
    assertThat(zero.rounded(bits, 2)).containsOnly(0);
    float[] factor = new float[OUT * RANK];
    Arrays.fill(factor, Float.NaN);
    zero.factor(Kernels.scalar(), bits, 2, factor);
    assertThat(factor).containsOnly(0);
  }
}
