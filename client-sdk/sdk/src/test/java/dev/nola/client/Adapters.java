package dev.nola.client;

import dev.nola.client.synthetic.SyntheticAdapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import java.util.List;
import java.util.Map;

/** Adapters for tests. */
public final class Adapters {
  private Adapters() {}

  /** Two layers of rank 2, of 6×5 and 4×4. */
  public static AdapterFile small(long seed) {
    try {
      return SyntheticAdapter.builder()
          .generator(Generator.UNIFORM8)
          .seed(seed)
          .rank(2)
          .coefficients(5, 3)
          .build()
          .forShapes(Map.of("h.0.w", List.of(6, 5), "h.1.w", List.of(4, 4)));
    } catch (LimitExceededException e) {
      throw new AssertionError(e);
    }
  }
}
