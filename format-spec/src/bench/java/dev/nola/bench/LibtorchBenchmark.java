package dev.nola.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.Utils;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The factor of {@link FactorBenchmark} the way the paper's code makes it, in libtorch on one
 * thread: draw the basis, then multiply the coefficients with it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Dai.djl.pytorch.num_threads=1", "-Dai.djl.pytorch.num_interop_threads=1"})
public class LibtorchBenchmark {
  private final NDManager manager = newManager();
  private NDArray coefficients = manager.create(0f);

  /** Loads libtorch, which DJL must not download. */
  private static NDManager newManager() {
    System.setProperty("ai.djl.offline", "true");
    if (!Utils.isOfflineMode()) {
      throw new IllegalStateException(
          "DJL_OFFLINE=%s would let DJL download libtorch; unset it, or set it to true"
              .formatted(Utils.getenv("DJL_OFFLINE")));
    }
    return NDManager.newBaseManager();
  }

  /** Draws the coefficients. */
  @Setup
  public void prepare() {
    int[] v = FactorBenchmark.coefficients(FactorBenchmark.COEFFICIENTS);
    coefficients = manager.create(v).toType(DataType.FLOAT32, false).reshape(1, v.length);
  }

  /** Frees what libtorch holds. */
  @TearDown
  public void close() {
    manager.close();
  }

  /** Draws uniform numbers with libtorch's own generator, into a new tensor, and multiplies. */
  @Benchmark
  public float[] uniform() {
    try (NDManager call = manager.newSubManager()) {
      Shape shape = new Shape(FactorBenchmark.COEFFICIENTS, FactorBenchmark.LENGTH);
      NDArray basis = call.randomUniform(-1, 1, shape, DataType.FLOAT32);
      NDArray row = coefficients.duplicate();
      row.attach(call);
      return row.matMul(basis).toFloatArray();
    }
  }
}
