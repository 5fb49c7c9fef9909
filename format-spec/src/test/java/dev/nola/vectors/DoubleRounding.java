package dev.nola.vectors;

import dev.nola.format.Adapter;
import dev.nola.format.Layer;
import dev.nola.generator.Philox;
import java.util.function.LongFunction;

/** Searches a seed and a scale for which the two roundings of side A differ from a single one. */
final class DoubleRounding {
  private DoubleRounding() {}

  /**
   * @param unscaled an adapter of one direct layer with scale 1 whose sums are below 2⁵³
   * @return the adapter with a seed and a scale at which element 0 shows the difference
   */
  static Adapter.Builder search(LongFunction<Adapter.Builder> unscaled) {
    for (long seed = 0; ; seed++) {
      Adapter adapter = unscaled.apply(seed).build();
      Layer layer = adapter.layers().getFirst();
      long sum = element0(adapter);
      for (int mantissa = 0; mantissa < 1 << 23; mantissa++) {
        float scale = Float.intBitsToFloat(0x3c000000 | mantissa);
        if (roundsTwice(sum, scale)) {
          return Adapter.builder()
              .generator(adapter.generator())
              .seed(seed)
              .layer(
                  Layer.ofMatrix(
                      layer.tensor(),
                      layer.rows(),
                      layer.cols(),
                      layer.stream(),
                      scale,
                      layer.coefficients()));
        }
      }
    }
  }

  /** Σᵢ vᵢ·bᵢ[0] of the first layer, computed apart from the kernels. */
  static long element0(Adapter adapter) {
    Layer layer = adapter.layers().getFirst();
    int[] values = layer.coefficients().alpha().values();
    int[] words = new int[4];
    long sum = 0;
    for (int i = 0; i < values.length; i++) {
      Philox.block(adapter.seed(), 0, i, layer.stream(), 2 * adapter.generator().id(), words);
      sum += (long) values[i] * (2L * (words[0] >>> 8) - ((1 << 24) - 1));
    }
    return sum;
  }

  /** Whether f32(f64(sum·scale)) differs from the product rounded once. */
  static boolean roundsTwice(long sum, float scale) {
    double product = (double) sum * (double) scale;
    boolean looksLikeTie = (Double.doubleToRawLongBits(product) & 0x1FFF_FFFFL) == 0x1000_0000L;
    if (!looksLikeTie) {
      return false;
    }
    double rest = Math.fma((double) sum, (double) scale, -product);
    double away = Math.abs((double) (float) product) - Math.abs(product);
    // The exact product is on one side of the tie, the rounded one went to the other.
    return rest != 0 && (Math.signum(rest) * Math.signum(product) > 0) != (away > 0);
  }
}
