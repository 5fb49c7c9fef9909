package dev.nola.format;

import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Legal adapters of every kind, small enough to reconstruct in no time; equal seeds give equal
 * adapters.
 */
public final class RandomAdapters {
  private final Random random;
  private final Generator generator;

  private RandomAdapters(long seed) {
    this.random = new Random(seed);
    this.generator = Generator.PSEUDORANDOM.get(random.nextInt(4));
  }

  /** The adapter that {@code seed} stands for. */
  public static Adapter of(long seed) {
    return new RandomAdapters(seed).adapter(false);
  }

  /** The same content, built in another order. */
  public static Adapter shuffled(long seed) {
    return new RandomAdapters(seed).adapter(true);
  }

  private Adapter adapter(boolean shuffle) {
    List<Layer> layers = new ArrayList<>();
    int blocks = 1 + random.nextInt(5);
    int kinds = 1 + random.nextInt(3);
    for (int kind = 0; kind < kinds; kind++) {
      int rows = 1 + random.nextInt(20);
      int cols = 1 + random.nextInt(20);
      int rank = 1 + random.nextInt(4);
      boolean direct = random.nextInt(4) == 0;
      boolean sliced = random.nextBoolean();
      int bits = 1 + random.nextInt(16);
      int firstStream = random.nextInt();
      int step = random.nextInt(3);
      for (int block = 0; block < blocks; block++) {
        int length = rank * Math.min(rows, cols);
        int maximum =
            (int) Math.min(12, generator.maxCoefficients(direct ? rows * cols : length, 16));
        int k = random.nextInt(5) == 0 ? 1 : maximum;
        layers.add(
            new Layer(
                "blocks." + (block + (random.nextInt(6) == 0 ? 20 : 0)) + ".k" + kind,
                sliced ? List.of(rows, cols + 3) : List.of(rows, cols),
                sliced ? new Slice(1, random.nextInt(4), cols) : null,
                rows,
                cols,
                firstStream + block * step,
                (float) Math.scalb(random.nextDouble() + 1, random.nextInt(60) - 40),
                direct
                    ? new Direct(codes(bits, k))
                    : new LowRank(rank, codes(bits, k), codes(1 + random.nextInt(16), maximum))));
      }
    }
    layers.removeIf(
        layer ->
            layers.stream()
                .takeWhile(other -> other != layer)
                .anyMatch(other -> other.tensor().equals(layer.tensor())));
    List<DenseTensor> dense = new ArrayList<>();
    for (int i = random.nextInt(3); i > 0; i--) {
      DType dtype = DType.values()[random.nextInt(3)];
      byte[] data = new byte[6 * dtype.bytes()];
      random.nextBytes(data);
      dense.add(new DenseTensor("head." + i, dtype, List.of(2, 3), MemorySegment.ofArray(data)));
    }
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(generator)
            .seed(random.nextLong())
            .base(new BaseModel("base", random.nextBoolean() ? "main" : "", null));
    if (random.nextBoolean()) {
      adapter.metadata(
          Metadata.of("An adapter.", "", "MIT")
              .withTags("a", "b")
              .withMetrics(Map.of("loss", random.nextDouble())));
    }
    if (shuffle) {
      Collections.shuffle(layers, random);
      Collections.shuffle(dense, random);
    }
    layers.forEach(adapter::layer);
    dense.forEach(adapter::dense);
    return adapter.build();
  }

  private Codes codes(int bits, int count) {
    return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
  }
}
