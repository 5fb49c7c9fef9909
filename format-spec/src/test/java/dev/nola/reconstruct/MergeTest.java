package dev.nola.reconstruct;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tensors larger than the blocks that a merge works on. */
class MergeTest {
  private static final int ROWS = 11;
  private static final int COLS = 1500;

  private final Random random = new Random(8);

  @Test
  void everyElementIsMergedWithItsDeltaForAnyPart() throws LimitExceededException {
    List<WeightedDelta> deltas =
        List.of(new WeightedDelta(factors(40), 1), new WeightedDelta(factors(13), -0.7));
    float[] weights = new float[ROWS * COLS];
    for (int e = 0; e < weights.length; e++) {
      weights[e] = (float) random.nextGaussian();
    }
    int[][] parts = {{0, ROWS * COLS}, {1, 3}, {1499, 1501}, {700, 2 * COLS}, {701, 10 * COLS + 9}};
    for (Kernel kernel : List.of(Kernels.scalar(), Kernels.vector())) {
      for (int[] part : parts) {
        float[] merged = new float[part[1] - part[0]];
        System.arraycopy(weights, part[0], merged, 0, merged.length);
        MemorySegment segment = MemorySegment.ofArray(merged);
        Merge.merge(kernel, DType.F32, segment, segment, part[0], deltas);
        for (int e = part[0]; e < part[1]; e++) {
          assertThat(merged[e - part[0]])
              .as("element %d of %s, %s kernel", e, List.of(part[0], part[1]), kernel.name())
              .isEqualTo(expected(weights[e], deltas, e));
        }
      }
    }
  }

  private Factors factors(int rank) throws LimitExceededException {
    Codes codes = Codes.of(4, random.ints(9, 0, 16).toArray());
    Layer layer = Layer.ofMatrix("w", ROWS, COLS, rank, 0x1p-10f, new LowRank(rank, codes, codes));
    Adapter adapter =
        Adapter.builder().generator(Generator.RADEMACHER).seed(rank).layer(layer).build();
    return Reconstructor.standard().open(adapter).apply(layer);
  }

  private static float expected(float weight, List<WeightedDelta> deltas, int e) {
    double sum = weight;
    for (WeightedDelta delta : deltas) {
      sum += delta.weight() * delta.factors().deltaRow(e / COLS)[e % COLS];
    }
    return (float) sum;
  }
}
