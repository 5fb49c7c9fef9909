package dev.nola.reconstruct;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Side;

/**
 * Limits the cost of a reconstruction. A file of 300 bytes can legally ask for hours of work, so
 * programs that open untrusted files set a budget.
 *
 * @param factorElements maximum number of elements of one factor, each of which takes 12 bytes of
 *     memory during the computation; at most {@link #MAX_ARRAY}
 * @param additions maximum number of additions over all factors: k·len for independent bases,
 *     len·(1 + ⌊log₂ len⌋) for {@link Generator#SRHT}
 */
public record Budget(long factorElements, long additions) {
  /**
   * The longest array that a JVM can hold; factors of the last few legal lengths do not fit into
   * it.
   */
  public static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  /**
   * Sufficient for adapters of published models of 70 billion parameters; about an hour of one core
   * at most.
   */
  public static final Budget STANDARD = new Budget(1L << 28, 1L << 42);

  /** The largest budget that this implementation supports. */
  public static final Budget UNLIMITED = new Budget(MAX_ARRAY, Long.MAX_VALUE);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a value is not positive, or {@code factorElements} exceeds
   *     {@link #MAX_ARRAY}
   */
  public Budget {
    if (factorElements < 1 || factorElements > MAX_ARRAY || additions < 1) {
      throw new IllegalArgumentException(
          "invalid budget: factorElements=%d additions=%d; both must be at least 1, the first at most %d"
              .formatted(factorElements, additions, MAX_ARRAY));
    }
  }

  /**
   * Checks that the reconstruction of an adapter stays within the budget, before it begins.
   *
   * @throws LimitExceededException if it does not
   */
  void require(Adapter adapter) throws LimitExceededException {
    long total = 0;
    for (Layer layer : adapter.layers()) {
      for (Side side : Side.values()) {
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        Codes codes = layer.codes(side);
        if (basis == null || codes == null) {
          continue;
        }
        if (basis.length() > factorElements) {
          throw new LimitExceededException(
              "factor %s of tensor %s exceeds the budget: %d elements; limit is %d"
                  .formatted(side, layer.tensor(), basis.length(), factorElements));
        }
        // Cannot overflow: the format's own limit on Σ k·len is 2^53, and log₂ len adds at most a
        // factor of 31 for the 2^38 elements that it allows.
        total += additions(basis, codes.count());
      }
    }
    if (total > additions) {
      throw new LimitExceededException(
          "reconstruction exceeds the budget: %d additions; limit is %d"
              .formatted(total, additions));
    }
  }

  private static long additions(Basis basis, int coefficients) {
    return basis.generator() == Generator.SRHT
        ? (long) basis.length() * (1 + Hadamard.log2(basis.length()))
        : (long) basis.length() * coefficients;
  }
}
