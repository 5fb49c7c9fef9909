package dev.nola.bench;

import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
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

/** One factor of 8192 elements from 1000 coefficients of 4 bits, on one thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class FactorBenchmark {
  static final int LENGTH = 8192;
  static final int COEFFICIENTS = 1000;
  private static final float SCALE = 0x1.8p-12f;

  /** The independent bases. */
  public abstract static class Factor {
    Generator generator = Generator.UNIFORM8;
    int[] coefficients = {};
    float[] factor = {};

    void prepare(Generator generator) {
      this.generator = generator;
      this.coefficients = coefficients(COEFFICIENTS);
      this.factor = new float[LENGTH];
    }

    Basis basis() {
      return new Basis(generator, 42, 7, Side.A, LENGTH);
    }
  }

  /** Generators that a C peer has. */
  @State(Scope.Thread)
  public static class Peered extends Factor {
    /** The generator. */
    @Param({"UNIFORM8", "UNIFORM24", "RADEMACHER"})
    public Generator peered = Generator.UNIFORM8;

    /** Draws the coefficients. */
    @Setup
    public void prepare() {
      prepare(peered);
    }
  }

  /** The C peer, whose bits are compared with ours first. */
  @State(Scope.Thread)
  public static class InC {
    private CPeer.Combine combine = (basis, coefficients, scale, factor) -> {};

    /** Compiles and compares. */
    @Setup
    public void prepare(Peered state) throws IOException {
      String name = "combine_" + state.generator.name().toLowerCase(Locale.ROOT);
      combine = CPeer.compiled().combine(name);
      float[] expected = new float[LENGTH];
      Kernels.scalar().combine(state.basis(), state.coefficients, SCALE, expected);
      combine.combine(state.basis(), state.coefficients, SCALE, state.factor);
      if (!Arrays.equals(state.factor, expected)) {
        throw new IllegalStateException("C computed another factor of " + state.generator);
      }
    }
  }

  /** The transform. */
  @State(Scope.Thread)
  public static class Srht extends Factor {
    /** Draws the coefficients. */
    @Setup
    public void prepare() {
      prepare(Generator.SRHT);
    }
  }

  private final Kernel vector = Kernels.vector();
  private final Kernel scalar = Kernels.scalar();

  static int[] coefficients(int count) {
    return new Random(1).ints(count, 0, 16).map(u -> 2 * u - 15).toArray();
  }

  /** Java, Vector API. */
  @Benchmark
  public float[] vector(Peered state) {
    vector.combine(state.basis(), state.coefficients, SCALE, state.factor);
    return state.factor;
  }

  /** Java, scalar. */
  @Benchmark
  public float[] scalar(Peered state) {
    scalar.combine(state.basis(), state.coefficients, SCALE, state.factor);
    return state.factor;
  }

  /** C. */
  @Benchmark
  public float[] c(Peered state, InC peer) {
    peer.combine.combine(state.basis(), state.coefficients, SCALE, state.factor);
    return state.factor;
  }

  /** Java, Vector API. */
  @Benchmark
  public float[] srht(Srht state) {
    vector.combine(state.basis(), state.coefficients, SCALE, state.factor);
    return state.factor;
  }
}
