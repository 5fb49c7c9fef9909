package dev.nola.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A maximal run of layers that one entry of the manifest describes: names that differ in an index
 * which counts up by one, streams that go up by one step, and everything but scales and codes equal
 * (SPEC.md section 4.3).
 *
 * @param first the first layer
 * @param position the first layer's position in file order
 * @param count number of layers, at least 1
 * @param streamStep added to the stream from one layer to the next, modulo 2³²; 1 if there is only
 *     one layer
 */
record LayerRun(Layer first, int position, int count, int streamStep) {
  /** Splits layers in file order into runs, each as long as it can be. */
  static List<LayerRun> of(List<Layer> layers) {
    List<LayerRun> runs = new ArrayList<>();
    for (int start = 0; start < layers.size(); ) {
      Layer first = layers.get(start);
      IndexedName name = IndexedName.of(first.tensor());
      int end = start + 1;
      int step = 1;
      while (end < layers.size()) {
        Layer last = layers.get(end - 1);
        Layer next = layers.get(end);
        int nextStep = next.stream() - last.stream();
        IndexedName nextName = IndexedName.of(next.tensor());
        if (!name.isFollowedBy(nextName)
            || !sameButNumbers(first, next)
            || end > start + 1 && nextStep != step) {
          break;
        }
        step = nextStep;
        name = nextName;
        end++;
      }
      runs.add(new LayerRun(first, start, end - start, step));
      start = end;
    }
    return runs;
  }

  private static boolean sameButNumbers(Layer one, Layer other) {
    return one.rows() == other.rows()
        && one.cols() == other.cols()
        && one.shape().equals(other.shape())
        && Objects.equals(one.slice(), other.slice())
        && sameForm(one.coefficients(), other.coefficients());
  }

  private static boolean sameForm(Coefficients one, Coefficients other) {
    return switch (one) {
      case Coefficients.Direct(Codes alpha) ->
          other instanceof Coefficients.Direct(Codes otherAlpha) && sameSize(alpha, otherAlpha);
      case Coefficients.LowRank(int rank, Codes alpha, Codes beta) ->
          other instanceof Coefficients.LowRank(int otherRank, Codes otherAlpha, Codes otherBeta)
              && rank == otherRank
              && sameSize(alpha, otherAlpha)
              && sameSize(beta, otherBeta);
    };
  }

  private static boolean sameSize(Codes one, Codes other) {
    return one.bits() == other.bits() && one.count() == other.count();
  }
}
