package dev.nola.registry.pages;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterExaminer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Computes how far the changes of two versions are apart, layer by layer: ‖ΔW₁ − ΔW₂‖ / ‖ΔW₁‖ in
 * the Frobenius norm. Of low-rank layers no ΔW is computed: ⟨A₁B₁, A₂B₂⟩ is the sum of the elements
 * of A₁ᵀA₂ ∘ B₁B₂ᵀ, which are r×r. Files never change, so that the latest results are kept.
 */
@Component
class DeltaDistances {
  /** About a second of one core. */
  private static final long MULTIPLICATIONS = 2_000_000_000;

  private static final long CACHED_LAYERS = 50_000;

  private final AdapterExaminer examiner;
  private final Cache<Files, Distances> known =
      Caffeine.newBuilder()
          .maximumWeight(CACHED_LAYERS)
          .weigher((Files _, Distances distances) -> 1 + distances.byLayer().size())
          .build();

  DeltaDistances(AdapterExaminer examiner) {
    this.examiner = examiner;
  }

  private record Files(Sha256 first, Sha256 second) {}

  private record Pair(Layer first, Layer second) {}

  /**
   * Distances of two versions.
   *
   * @param byLayer of the layers that both have with the same size and form, and that the first
   *     version changes
   * @param refused why nothing was computed, or null
   */
  record Distances(Map<LayerKey, Double> byLayer, @Nullable String refused) {}

  /**
   * Computes distances.
   *
   * @param caller of the request, who may see both versions
   * @param first digest of the file that distances are relative to
   * @param second digest of the other file
   * @return the distances
   * @throws IOException if a file cannot be read
   */
  Distances of(Caller caller, Sha256 first, Sha256 second) throws IOException {
    Files files = new Files(first, second);
    Distances found = known.getIfPresent(files);
    if (found == null) {
      AdapterFile one = examiner.read(caller.account(), first);
      AdapterFile two = examiner.read(caller.account(), second);
      found =
          examiner.reconstruct(caller.account(), reconstructor -> compute(one, two, reconstructor));
      known.put(files, found);
    }
    return found;
  }

  private static Distances compute(AdapterFile one, AdapterFile two, Reconstructor reconstructor) {
    Map<LayerKey, Layer> others = new HashMap<>();
    two.adapter().layers().forEach(layer -> others.put(LayerKey.of(layer), layer));
    List<Pair> pairs = new ArrayList<>();
    long multiplications = 0;
    for (Layer layer : one.adapter().layers()) {
      Layer other = others.get(LayerKey.of(layer));
      if (other != null && layer.rows() == other.rows() && layer.cols() == other.cols()) {
        pairs.add(new Pair(layer, other));
        multiplications += multiplications(layer, other);
      }
    }
    if (multiplications > MULTIPLICATIONS) {
      return new Distances(
          Map.of(),
          "comparison too large: %,d multiplications; limit is %,d"
              .formatted(multiplications, MULTIPLICATIONS));
    }
    try {
      Function<Layer, Factors> first = reconstructor.open(one.adapter());
      Function<Layer, Factors> second = reconstructor.open(two.adapter());
      Map<LayerKey, Double> distances = new HashMap<>();
      for (Pair pair : pairs) {
        Double distance = distance(first.apply(pair.first()), second.apply(pair.second()));
        if (distance != null) {
          distances.put(LayerKey.of(pair.first()), distance);
        }
      }
      return new Distances(Map.copyOf(distances), null);
    } catch (LimitExceededException e) {
      return new Distances(Map.of(), String.valueOf(e.getMessage()));
    }
  }

  private static long multiplications(Layer one, Layer two) {
    long r1 = rank(one);
    long r2 = rank(two);
    return r1 == 0 || r2 == 0
        ? 3 * one.elements()
        : (r1 * r1 + r1 * r2 + r2 * r2) * ((long) one.rows() + one.cols());
  }

  private static int rank(Layer layer) {
    return layer.coefficients() instanceof Coefficients.LowRank lowRank ? lowRank.rank() : 0;
  }

  /** Returns the distance, or null if the forms differ or the first layer changes nothing. */
  private static @Nullable Double distance(Factors one, Factors two) {
    if ((one.b() == null) != (two.b() == null)) {
      return null;
    }
    if (Arrays.equals(one.a(), two.a()) && Arrays.equals(one.b(), two.b())) {
      return 0.0;
    }
    double norm = product(one, one);
    if (norm == 0) {
      return null;
    }
    // Rounding can leave a little less than zero of what is nearly equal.
    double squared = Math.max(0, norm + product(two, two) - 2 * product(one, two));
    return Math.sqrt(squared / norm);
  }

  /** Returns the sum of the products of the elements of two ΔW. */
  private static double product(Factors one, Factors two) {
    float[] b1 = one.b();
    float[] b2 = two.b();
    double sum = 0;
    if (b1 == null || b2 == null) {
      for (int i = 0; i < one.a().length; i++) {
        sum += (double) one.a()[i] * two.a()[i];
      }
      return sum;
    }
    int cols = one.layer().cols();
    double[] inA = productsOfColumns(one, two);
    for (int i = 0; i < one.rank(); i++) {
      for (int j = 0; j < two.rank(); j++) {
        double inB = 0;
        for (int c = 0; c < cols; c++) {
          inB += (double) b1[i * cols + c] * b2[j * cols + c];
        }
        sum += inA[i * two.rank() + j] * inB;
      }
    }
    return sum;
  }

  /** Returns A₁ᵀA₂, r₁×r₂ row-major. */
  private static double[] productsOfColumns(Factors one, Factors two) {
    double[] products = new double[one.rank() * two.rank()];
    for (int row = 0; row < one.layer().rows(); row++) {
      for (int i = 0; i < one.rank(); i++) {
        double left = one.a()[row * one.rank() + i];
        for (int j = 0; j < two.rank(); j++) {
          products[i * two.rank() + j] += left * two.a()[row * two.rank() + j];
        }
      }
    }
    return products;
  }
}
