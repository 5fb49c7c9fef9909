package dev.nola.reconstruct;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.LimitExceededException.Limit;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Hadamard;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * Limits the cost of a reconstruction. A file of 300 bytes can legally ask for hours of work and
 * all of a machine's memory, so what exceeds the budget is refused before any work begins.
 *
 * @param memoryBytes the bytes that factors and their accumulators may take at one time, over all
 *     threads
 * @param additions the additions over all factors: k·len for independent bases, len·(1 + ⌊log₂
 *     len⌋) for {@link Generator#SRHT}, len for {@link Generator#IDENTITY}
 */
public record Budget(long memoryBytes, long additions) {
  /**
   * The longest array that a JVM can hold; factors of the last few legal lengths do not fit into
   * it.
   */
  public static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

  /** The system property that sets the additions of {@link #standard}. */
  public static final String ADDITIONS_PROPERTY = "nola.maxAdditions";

  /**
   * The default number of additions: enough for adapters of published models of 70 billion
   * parameters; a minute or two of one core.
   */
  public static final long DEFAULT_ADDITIONS = 1L << 38;

  /** The largest budget. */
  public static final Budget UNLIMITED = new Budget(Long.MAX_VALUE, Long.MAX_VALUE);

  /** The accumulators of one thread that sums independent basis vectors, generously. */
  private static final long STRIP_BYTES = 1 << 18;

  /** Room for an array's header, and for the objects of a layer. */
  private static final long OBJECT_BYTES = 256;

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a value is not positive
   */
  public Budget {
    if (memoryBytes < 1 || additions < 1) {
      throw new IllegalArgumentException(
          "invalid budget: memoryBytes=%d additions=%d; both must be at least 1"
              .formatted(memoryBytes, additions));
    }
  }

  /**
   * Returns the budget of this process: three quarters of the heap's maximum, and the additions
   * that {@value #ADDITIONS_PROPERTY} sets, by default {@link #DEFAULT_ADDITIONS}.
   *
   * @return the budget
   * @throws IllegalArgumentException if the property is not a positive number
   */
  public static Budget standard() {
    return new Budget(Runtime.getRuntime().maxMemory() / 4 * 3, standardAdditions());
  }

  private static long standardAdditions() {
    String text = System.getProperty(ADDITIONS_PROPERTY);
    if (text == null) {
      return DEFAULT_ADDITIONS;
    }
    try {
      long additions = Long.parseLong(text);
      if (additions >= 1) {
        return additions;
      }
    } catch (NumberFormatException _) {
      // reported below, with the numbers that are not positive
    }
    throw new IllegalArgumentException(
        "invalid system property %s: %s; must be 1 to 2^63-1".formatted(ADDITIONS_PROPERTY, text));
  }

  /**
   * Returns a copy with another limit of memory.
   *
   * @param bytes the bytes at one time, over all threads
   * @return the copy
   * @throws IllegalArgumentException if it is not positive
   */
  public Budget withMemory(long bytes) {
    return new Budget(bytes, additions);
  }

  /**
   * Checks that all factors fit at once.
   *
   * @param threads that compute layers
   * @throws LimitExceededException if the reconstruction exceeds the budget
   */
  void requireWhole(Adapter adapter, int threads) throws LimitExceededException {
    requireAdditions(adapter);
    long kept = 0;
    for (Layer layer : adapter.layers()) {
      kept = saturatedSum(kept, arrays(adapter, layer));
    }
    List<Long> accumulators = costs(adapter, layer -> accumulators(adapter, layer));
    requireMemory(
        "reconstruction of all layers at once", saturatedSum(kept, largest(accumulators, threads)));
  }

  /**
   * Checks that any layers, as many as are held at one time, fit.
   *
   * @param adapter the adapter
   * @param atOnce layers that are held at one time
   * @throws LimitExceededException if the reconstruction exceeds the budget
   */
  public void requireByLayer(Adapter adapter, int atOnce) throws LimitExceededException {
    requireAdditions(adapter);
    for (Layer layer : adapter.layers()) {
      requireMemory(
          "reconstruction of tensor " + layer.tensor(),
          saturatedSum(arrays(adapter, layer), accumulators(adapter, layer)));
    }
    List<Long> costs =
        costs(adapter, layer -> saturatedSum(arrays(adapter, layer), accumulators(adapter, layer)));
    requireMemory(
        "reconstruction of %d layers at once".formatted(Math.min(atOnce, costs.size())),
        largest(costs, atOnce));
  }

  /**
   * Checks that layers fit whose factors nobody needs whole ({@link Kernel#stream}), so that only
   * the transforms of {@link Generator#SRHT} are in memory.
   *
   * @param threads the largest number of layers to compute at one time
   * @return how many layers can be computed at one time: 1 to {@code threads}
   * @throws LimitExceededException if even one at a time exceeds the budget
   */
  int requireStreamed(Adapter adapter, int threads) throws LimitExceededException {
    requireAdditions(adapter);
    for (Layer layer : adapter.layers()) {
      requireMemory("reconstruction of tensor " + layer.tensor(), streamed(adapter, layer));
    }
    List<Long> costs = costs(adapter, layer -> streamed(adapter, layer));
    int atOnce = threads;
    while (atOnce > 1 && largest(costs, atOnce) > memoryBytes) {
      atOnce--;
    }
    return atOnce;
  }

  /**
   * Checks the work for all layers.
   *
   * @param adapter the adapter
   * @throws LimitExceededException if it exceeds the budget
   */
  public void requireAdditions(Adapter adapter) throws LimitExceededException {
    long total = 0;
    for (Layer layer : adapter.layers()) {
      for (Side side : Side.values()) {
        Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
        Codes codes = layer.codes(side);
        if (basis != null && codes != null) {
          // Cannot overflow: the format's own limit on Σ k·len is 2^53, and log₂ len adds at most
          // a factor of 31 for the 2^38 elements that it allows.
          total += additions(basis, codes.count());
        }
      }
    }
    if (total > additions) {
      throw new LimitExceededException(
          Limit.ADDITIONS,
          total,
          String.format(
              Locale.ROOT,
              "reconstruction exceeds the budget: %,d additions; limit is %,d",
              total,
              additions));
    }
  }

  private void requireMemory(String what, long bytes) throws LimitExceededException {
    if (bytes > memoryBytes) {
      throw new LimitExceededException(
          Limit.MEMORY,
          bytes,
          String.format(
              Locale.ROOT,
              "%s exceeds the budget: %,d bytes of memory; limit is %,d",
              what,
              bytes,
              memoryBytes));
    }
  }

  /** Returns the costs of all layers, the largest first. */
  private static List<Long> costs(Adapter adapter, ToLongFunction<Layer> cost) {
    List<Long> costs = new ArrayList<>(adapter.layers().size());
    adapter.layers().forEach(layer -> costs.add(cost.applyAsLong(layer)));
    costs.sort(Collections.reverseOrder());
    return costs;
  }

  private static long largest(List<Long> costs, int count) {
    long sum = 0;
    for (long cost : costs.subList(0, Math.min(count, costs.size()))) {
      sum = saturatedSum(sum, cost);
    }
    return sum;
  }

  private static long saturatedSum(long a, long b) {
    long sum = a + b;
    return sum < 0 ? Long.MAX_VALUE : sum;
  }

  /** The bytes of a layer's factors: both sides, or the direct form. */
  private static long arrays(Adapter adapter, Layer layer) {
    long bytes = OBJECT_BYTES;
    for (Side side : Side.values()) {
      Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
      bytes += basis == null ? 0 : (long) Float.BYTES * basis.length();
    }
    return bytes;
  }

  /** The bytes beside a layer's factors while one of them is computed. */
  private static long accumulators(Adapter adapter, Layer layer) {
    long bytes = 0;
    for (Side side : Side.values()) {
      Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
      bytes = basis == null ? bytes : Math.max(bytes, accumulators(basis));
    }
    return bytes;
  }

  /** The bytes of a layer of whose factors only a part is in memory. */
  private static long streamed(Adapter adapter, Layer layer) {
    long bytes = 0;
    for (Side side : Side.values()) {
      Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
      Codes codes = layer.codes(side);
      if (basis != null && codes != null) {
        long part = (long) Float.BYTES * Math.min(basis.length(), Kernel.CHUNK);
        bytes = Math.max(bytes, part + accumulators(basis) + roundedSums(basis, codes));
      }
    }
    return bytes + OBJECT_BYTES;
  }

  /** The bytes of a transform's rounded sums, if its sums need more than 32 bits each. */
  private static long roundedSums(Basis basis, Codes codes) {
    long bound = (long) codes.count() * ((1L << codes.bits()) - 1);
    return basis.generator() == Generator.SRHT && bound > Integer.MAX_VALUE
        ? (long) Float.BYTES * Hadamard.columns(basis.length())
        : 0;
  }

  private static long accumulators(Basis basis) {
    return switch (basis.generator()) {
      case SRHT -> (long) Long.BYTES * Hadamard.columns(basis.length());
      case IDENTITY -> (long) Integer.BYTES * basis.length(); // its coefficients, unpacked
      case UNIFORM24, UNIFORM8, RADEMACHER ->
          Math.min(STRIP_BYTES, 64L * basis.length() + OBJECT_BYTES);
    };
  }

  private static long additions(Basis basis, int coefficients) {
    return basis.generator() == Generator.SRHT
        ? (long) basis.length() * (1 + Hadamard.log2(basis.length()))
        : basis.generator().basisElements(basis.length(), coefficients);
  }
}
