package dev.nola.bench;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.RealAdapters;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How time grows with the number of coefficients, the length of a factor, layers and threads. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
public class GrowthBenchmark {
  private static final Kernel KERNEL = Kernels.vector();

  /** A factor of 65536 elements. */
  @State(Scope.Thread)
  public static class Coefficients {
    /** Generator. */
    @Param public Generator generator = Generator.SRHT;

    /** Number of coefficients. */
    @Param({"64", "250", "1000", "4000"})
    public int k = 64;

    private int[] coefficients = {};
    private final float[] factor = new float[1 << 16];

    /** Draws the coefficients. */
    @Setup
    public void prepare() {
      coefficients = FactorBenchmark.coefficients(k);
    }
  }

  /** A factor from 1000 coefficients. */
  @State(Scope.Thread)
  public static class Length {
    /** Generator. */
    @Param public Generator generator = Generator.SRHT;

    /** Elements of the factor. */
    @Param({"1024", "8192", "65536", "1048576"})
    public int length = 1024;

    private final int[] coefficients = FactorBenchmark.coefficients(1000);
    private float[] factor = {};

    /** Makes room. */
    @Setup
    public void prepare() {
      factor = new float[length];
    }
  }

  /** An adapter for GPT-2 Large. */
  @State(Scope.Thread)
  public static class Layers {
    /** Matrices. */
    @Param({"2", "8", "24", "72"})
    public int layers = 2;

    /** Threads. */
    @Param({"1", "2"})
    public int threads = 1;

    private Adapter adapter = RealAdapters.gpt2LargeQueryValue(Generator.SRHT, 1, 1000).build();

    /** Makes the adapter. */
    @Setup
    public void prepare() {
      adapter = RealAdapters.gpt2LargeQueryValue(Generator.SRHT, layers / 2, 1000).build();
    }
  }

  /** Time against k. */
  @Benchmark
  public float[] coefficients(Coefficients state) {
    Basis basis = new Basis(state.generator, 42, 7, Side.A, state.factor.length);
    KERNEL.combine(basis, state.coefficients, 0x1.8p-12f, state.factor);
    return state.factor;
  }

  /** Time against the length. */
  @Benchmark
  public float[] length(Length state) {
    Basis basis = new Basis(state.generator, 42, 7, Side.A, state.length);
    KERNEL.combine(basis, state.coefficients, 0x1.8p-12f, state.factor);
    return state.factor;
  }

  /** Time against layers and threads. */
  @Benchmark
  public ReconstructionDigest layers(Layers state) throws AdapterException {
    return Reconstructor.standard().withThreads(state.threads).digest(state.adapter);
  }
}
