package dev.nola.trainer.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers of a file that are not one whole matrix. */
class StoredLayerTest {
  private static final String WEIGHT = "layers.0.weight";
  private static final int OUT = 8;
  private static final int IN = 18;

  /** A part of the weight, and the matrix that it is viewed as. */
  private record Part(@Nullable Slice slice, int rows, int cols) {
    Layer layer(boolean isDirect, Random random) {
      Codes alpha = codes(6, random);
      Coefficients coefficients =
          isDirect
              ? new Coefficients.Direct(alpha)
              : new Coefficients.LowRank(3, alpha, codes(5, random));
      return new Layer(WEIGHT, List.of(OUT, IN), slice, rows, cols, 1, 0.02f, coefficients);
    }
  }

  private static Codes codes(int count, Random random) {
    return Codes.of(4, random.ints(count, 0, 16).toArray());
  }

  private static List<List<Part>> parts() {
    return List.of(
        List.of(new Part(null, OUT, IN)),
        List.of(new Part(null, 12, 12)),
        List.of(new Part(new Slice(0, 0, 3), 3, IN)),
        List.of(new Part(new Slice(0, 2, 6), 9, 12)),
        List.of(new Part(new Slice(1, 4, 9), OUT, 9)),
        List.of(new Part(new Slice(0, 0, 3), 3, IN), new Part(new Slice(0, 5, 3), 3, IN)),
        List.of(new Part(new Slice(1, 0, 6), 6, 8), new Part(new Slice(1, 12, 6), OUT, 6)));
  }

  @ParameterizedTest
  @MethodSource("parts")
  void layerIsAddedWhereItBelongs(List<Part> parts) throws Exception {
    for (boolean isDirect : new boolean[] {false, true}) {
      Random random = new Random(4);
      Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(9);
      parts.forEach(part -> adapter.layer(part.layer(isDirect, random)));
      AdapterFile file = Reconstructor.standard().seal(adapter.build());
      double[] expected = new double[OUT * IN];
      for (Factors factors : Reconstructor.standard().verifiedFactors(file)) {
        addTo(expected, factors);
      }

      try (BaseModel base = BaseModel.fromScratch(new Mlp(List.of(IN, OUT)));
          NDManager step = Tensors.newManager()) {
        AdaptedWeights weights =
            new AdaptedWeights(base, TrainedAdapter.ofFile(base, file), Kernels.chosen());
        weights.prepare();
        weights.begin(step, false);

        float[] tensor = weights.tensor(WEIGHT).toFloatArray();
        float[] products =
            weights.linear(Tensors.create(step, unitVectors(), IN, IN), "layers.0").toFloatArray();
        for (int i = 0; i < expected.length; i++) {
          assertThat((double) tensor[i]).isCloseTo(expected[i], within(1e-5));
          assertThat(products[i % IN * OUT + i / IN]).isEqualTo(tensor[i], within(1e-6f));
        }
      }
    }
  }

  /** Adds ΔW, element by element: the slice is flattened row-major, as the view is. */
  private static void addTo(double[] tensor, Factors factors) {
    Layer layer = factors.layer();
    Slice slice = layer.slice();
    int firstRow = slice != null && slice.dim() == 0 ? slice.start() : 0;
    int firstCol = slice != null && slice.dim() == 1 ? slice.start() : 0;
    int width = slice != null && slice.dim() == 1 ? slice.length() : IN;
    List<Double> delta = new ArrayList<>();
    for (int row = 0; row < layer.rows(); row++) {
      for (int col = 0; col < layer.cols(); col++) {
        delta.add(element(factors, row, col));
      }
    }
    for (int e = 0; e < delta.size(); e++) {
      tensor[(firstRow + e / width) * IN + firstCol + e % width] += delta.get(e);
    }
  }

  private static double element(Factors factors, int row, int col) {
    int cols = factors.layer().cols();
    float[] b = factors.b();
    if (b == null) {
      return factors.a()[row * cols + col];
    }
    double sum = 0;
    for (int t = 0; t < factors.rank(); t++) {
      sum += (double) factors.a()[row * factors.rank() + t] * b[t * cols + col];
    }
    return sum;
  }

  private static float[] unitVectors() {
    float[] vectors = new float[IN * IN];
    for (int i = 0; i < IN; i++) {
      vectors[i * IN + i] = 1;
    }
    return vectors;
  }
}
