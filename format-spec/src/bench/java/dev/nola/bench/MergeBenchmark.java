package dev.nola.bench;

import dev.nola.format.Adapter;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Merge;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.reconstruct.WeightedDelta;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** ΔW added to 4096×4096 bf16 weights (64 MiB read and written), on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MergeBenchmark {
  static final int SIZE = 4096;
  private static final long BYTES = (long) SIZE * SIZE * Short.BYTES;

  /** r. */
  @Param({"4", "16"})
  public int rank = 4;

  private final Kernel kernel = Kernels.vector();
  private final MemorySegment weights = Arena.global().allocate(BYTES, 64);
  private final MemorySegment merged = Arena.global().allocate(BYTES, 64);
  private float[] a = {};
  private float[] b = {};
  private List<WeightedDelta> deltas = List.of();

  /** Draws weights and reconstructs an adapter. */
  @Setup
  public void prepare() throws LimitExceededException {
    Random random = new Random(4);
    for (long e = 0; e < (long) SIZE * SIZE; e++) {
      int bits = Float.floatToRawIntBits((float) random.nextGaussian() * 0.02f);
      weights.setAtIndex(ValueLayout.JAVA_SHORT, e, (short) (bits >>> 16));
    }
    Codes codes = Codes.of(4, random.ints(128, 0, 16).toArray());
    Layer layer = Layer.ofMatrix("w", SIZE, SIZE, 0, 0x1p-22f, new LowRank(rank, codes, codes));
    Adapter adapter = Adapter.builder().generator(Generator.SRHT).seed(5).layer(layer).build();
    Factors factors = Reconstructor.standard().open(adapter).apply(adapter.layers().getFirst());
    a = factors.a();
    b = Objects.requireNonNull(factors.b());
    deltas = List.of(new WeightedDelta(factors, 1));
  }

  /** The C peer, whose bits are compared with ours first. */
  @State(Scope.Thread)
  public static class InC {
    private CPeer.MergeBf16 merge = (a, b, rank, rows, cols, weights, merged) -> {};

    /** Compiles and compares. */
    @Setup
    public void prepare(MergeBenchmark state) throws IOException {
      merge = CPeer.compiled().mergeBf16();
      state.vector();
      MemorySegment expected = Arena.ofAuto().allocate(BYTES).copyFrom(state.merged);
      merge.merge(state.a, state.b, state.rank, SIZE, SIZE, state.weights, state.merged);
      long mismatch = state.merged.mismatch(expected);
      if (mismatch >= 0 || state.merged.mismatch(state.weights) < 0) {
        throw new IllegalStateException("C merged byte " + mismatch + " differently, or nothing");
      }
    }
  }

  /** Java, Vector API. */
  @Benchmark
  public MemorySegment vector() {
    Merge.merge(kernel, DType.BF16, weights, merged, 0, deltas);
    return merged;
  }

  /** C. */
  @Benchmark
  public MemorySegment c(InC peer) {
    peer.merge.merge(a, b, rank, SIZE, SIZE, weights, merged);
    return merged;
  }

  /** The limit: a copy of the same bytes. */
  @Benchmark
  public MemorySegment copy() {
    return merged.copyFrom(weights);
  }
}
