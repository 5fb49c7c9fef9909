package dev.nola.registry.pages;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.api.VersionDetails;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterExaminer;
import java.io.IOException;
import java.util.List;
import org.springframework.stereotype.Component;

/**
 * Computes how strongly an adapter changes each of its layers: the scale, multiplied by the root
 * mean square of the codes of each side (as odd integers, SPEC.md section 5). Files never change,
 * so that the results of the latest ones are kept.
 */
@Component
class LayerStrengths {
  private static final long CACHED_LAYERS = 200_000;

  private final AdapterExaminer files;
  private final Cache<Sha256, double[]> known =
      Caffeine.newBuilder()
          .maximumWeight(CACHED_LAYERS)
          .weigher((Sha256 _, double[] layers) -> 1 + layers.length)
          .build();

  LayerStrengths(AdapterExaminer files) {
    this.files = files;
  }

  /**
   * Computes the strengths of a version's layers.
   *
   * @param caller of the request
   * @param version that the caller may see
   * @return one for each layer, in file order
   * @throws IOException if the file cannot be read
   */
  double[] of(Caller caller, VersionDetails version) throws IOException {
    double[] found = known.getIfPresent(version.digest());
    if (found == null) {
      found = compute(files.read(caller.account(), version.digest()));
      known.put(version.digest(), found);
    }
    return found;
  }

  private static double[] compute(AdapterFile file) {
    List<Layer> layers = file.adapter().layers();
    double[] strengths = new double[layers.size()];
    for (int i = 0; i < strengths.length; i++) {
      strengths[i] = Math.abs(layers.get(i).scale());
      for (Side side : Side.values()) {
        Codes codes = layers.get(i).codes(side);
        if (codes != null) {
          strengths[i] *= rootMeanSquare(codes.values());
        }
      }
    }
    return strengths;
  }

  private static double rootMeanSquare(int[] values) {
    double sum = 0;
    for (int value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum / values.length);
  }
}
