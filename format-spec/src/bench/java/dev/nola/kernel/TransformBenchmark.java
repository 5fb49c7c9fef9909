package dev.nola.kernel;

import dev.nola.bench.CPeer;
import java.io.IOException;
import java.util.Arrays;
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

/** The fast Walsh–Hadamard transform in place, on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TransformBenchmark {
  /** log₂ of the length. */
  @Param({"13", "20"})
  public int log2 = 13;

  private int[] ints = {};
  private double[] doubles = {};

  /** Zeros: whatever is transformed again and again would overflow. */
  @Setup
  public void prepare() {
    ints = new int[1 << log2];
    doubles = new double[1 << log2];
  }

  /** The C peer, whose bits are compared with ours first. */
  @State(Scope.Thread)
  public static class InC {
    private CPeer.Transform hadamard = values -> {};

    /** Compiles and compares. */
    @Setup
    public void prepare() throws IOException {
      hadamard = CPeer.compiled().hadamard();
      int[] expected = new Random(3).ints(1 << 20, -500, 500).toArray();
      int[] actual = expected.clone();
      FastHadamard.transform(expected);
      hadamard.transform(actual);
      if (!Arrays.equals(actual, expected)) {
        throw new IllegalStateException("C computed another transform");
      }
    }
  }

  /** Java, Vector API, 32 bits. */
  @Benchmark
  public int[] vectorInts() {
    FastHadamard.transform(ints);
    return ints;
  }

  /** Java, Vector API, for sums beyond 32 bits. */
  @Benchmark
  public double[] vectorDoubles() {
    FastHadamard.transform(doubles);
    return doubles;
  }

  /** C, 32 bits. */
  @Benchmark
  public int[] cInts(InC peer) {
    peer.hadamard.transform(ints);
    return ints;
  }
}
