package dev.nola.reconstruct;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Basis;
import dev.nola.generator.Side;
import dev.nola.kernel.Kernel;
import dev.nola.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns adapters into the bits they stand for. Immutable and thread-safe; the result depends on the
 * adapter alone, never on the kernel, the number of threads or the machine.
 */
public final class Reconstructor {
  private final Kernel kernel;
  private final int threads;
  private final Budget budget;

  private Reconstructor(Kernel kernel, int threads, Budget budget) {
    this.kernel = kernel;
    this.threads = threads;
    this.budget = budget;
  }

  /** The chosen kernel, all processors, {@link Budget#STANDARD}. */
  public static Reconstructor standard() {
    return new Reconstructor(
        Kernels.chosen(), Runtime.getRuntime().availableProcessors(), Budget.STANDARD);
  }

  /** The same with another kernel. */
  public Reconstructor withKernel(Kernel kernel) {
    return new Reconstructor(kernel, threads, budget);
  }

  /**
   * The same with another number of threads.
   *
   * @throws IllegalArgumentException if there is not at least one
   */
  public Reconstructor withThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads=" + threads + ", must be at least 1");
    }
    return new Reconstructor(kernel, threads, budget);
  }

  /** The same with another budget. */
  public Reconstructor withBudget(Budget budget) {
    return new Reconstructor(kernel, threads, budget);
  }

  /**
   * Opens an adapter for reconstruction, layer by layer, on the caller's thread.
   *
   * @throws LimitExceededException if all of it together would exceed the budget; nothing is
   *     computed then
   */
  public Function<Layer, Factors> open(Adapter adapter) throws LimitExceededException {
    budget.require(adapter);
    return layer -> factors(kernel, adapter, layer);
  }

  /**
   * All factors of an adapter, in file order, computed in parallel like {@link #digest}. All of
   * them are in memory at once: 4 bytes an element.
   *
   * @throws LimitExceededException if they would exceed the budget; nothing is computed then
   */
  public List<Factors> factors(Adapter adapter) throws LimitExceededException {
    budget.require(adapter);
    try (ForkJoinPool pool = new ForkJoinPool(threads)) {
      Kernel parallel = Kernels.parallel(kernel, pool);
      List<Callable<Factors>> layers = new ArrayList<>();
      for (Layer layer : adapter.layers()) {
        layers.add(() -> factors(parallel, adapter, layer));
      }
      return List.copyOf(inParallel(pool, layers));
    }
  }

  /**
   * The same, compared with the file's digest: the arrays returned are the ones that were hashed.
   *
   * @throws DigestMismatchException if other bits came out than the author had
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  public List<Factors> verifiedFactors(AdapterFile file)
      throws DigestMismatchException, LimitExceededException {
    @Nullable Factors[] kept = new Factors[file.adapter().layers().size()];
    requireDigest(file, digest(file.adapter(), (layer, factors) -> kept[layer] = factors));
    return Arrays.stream(kept).map(Objects::requireNonNull).toList();
  }

  /**
   * The digest tree of what an adapter reconstructs to, computed in parallel over layers and, where
   * there are fewer of them than threads, over the elements of their factors. One layer a thread is
   * held in memory at a time.
   *
   * @throws LimitExceededException if it would exceed the budget; nothing is computed then
   */
  public ReconstructionDigest digest(Adapter adapter) throws LimitExceededException {
    return digest(adapter, (_, _) -> {});
  }

  /** Is handed each layer's factors once they are hashed, by number, on any thread. */
  @FunctionalInterface
  private interface Sink {
    void accept(int layer, Factors factors);
  }

  private ReconstructionDigest digest(Adapter adapter, Sink sink) throws LimitExceededException {
    budget.require(adapter);
    try (ForkJoinPool pool = new ForkJoinPool(threads)) {
      Kernel parallel = Kernels.parallel(kernel, pool);
      List<Callable<Sha256>> leaves = new ArrayList<>();
      for (Layer layer : adapter.layers()) {
        int number = leaves.size();
        leaves.add(
            () -> {
              Factors factors = factors(parallel, adapter, layer);
              Sha256 leaf = ReconstructionDigest.leaf(factors);
              sink.accept(number, factors);
              return leaf;
            });
      }
      for (DenseTensor tensor : adapter.dense()) {
        leaves.add(() -> ReconstructionDigest.leaf(tensor));
      }
      List<Sha256> hashed = inParallel(pool, leaves);
      int layers = adapter.layers().size();
      return ReconstructionDigest.of(
          hashed.subList(0, layers), hashed.subList(layers, hashed.size()));
    }
  }

  /**
   * The file of an adapter: reconstructs it and adds the digest.
   *
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  public AdapterFile seal(Adapter adapter) throws LimitExceededException {
    return new AdapterFile(adapter, digest(adapter).root());
  }

  /**
   * Reconstructs a file's adapter and compares digests.
   *
   * @return the digest tree, whose root is the file's
   * @throws DigestMismatchException if other bits came out than the author had
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  public ReconstructionDigest verify(AdapterFile file)
      throws DigestMismatchException, LimitExceededException {
    return requireDigest(file, digest(file.adapter()));
  }

  private static ReconstructionDigest requireDigest(AdapterFile file, ReconstructionDigest actual)
      throws DigestMismatchException {
    if (!actual.root().equals(file.reconstructionDigest())) {
      throw new DigestMismatchException(file.reconstructionDigest(), actual.root());
    }
    return actual;
  }

  private static Factors factors(Kernel kernel, Adapter adapter, Layer layer) {
    float[] a = factor(kernel, adapter, layer, Side.A);
    float[] b = factor(kernel, adapter, layer, Side.B);
    if (a == null) {
      throw new AssertionError("every layer has a side A");
    }
    return new Factors(kernel, layer, a, b);
  }

  private static float @Nullable [] factor(Kernel kernel, Adapter adapter, Layer layer, Side side) {
    Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
    Codes codes = layer.codes(side);
    if (basis == null || codes == null) {
      return null;
    }
    float[] factor = new float[basis.length()];
    kernel.combine(basis, codes.values(), side == Side.A ? layer.scale() : 1, factor);
    return factor;
  }

  private static <T> List<T> inParallel(ForkJoinPool pool, List<Callable<T>> tasks) {
    try {
      List<T> results = new ArrayList<>(tasks.size());
      for (Future<T> task : pool.invokeAll(tasks)) {
        results.add(task.get());
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException("reconstruction failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("reconstruction was interrupted", e);
    }
  }
}
