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
 * Reconstructs adapters. Immutable and thread-safe; the result depends on the adapter alone, never
 * on the kernel, the number of threads or the machine.
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

  /**
   * Returns a reconstructor with {@link Kernels#chosen}, all processors and {@link
   * Budget#STANDARD}.
   *
   * @return the reconstructor
   * @throws IllegalArgumentException if the system property {@link Kernels#PROPERTY} is invalid
   */
  public static Reconstructor standard() {
    return new Reconstructor(
        Kernels.chosen(), Runtime.getRuntime().availableProcessors(), Budget.STANDARD);
  }

  /**
   * Returns a copy with another kernel.
   *
   * @param kernel does the arithmetic
   * @return the copy
   */
  public Reconstructor withKernel(Kernel kernel) {
    return new Reconstructor(kernel, threads, budget);
  }

  /**
   * Returns a copy with another number of threads.
   *
   * @param threads the number, at least 1
   * @return the copy
   * @throws IllegalArgumentException if it is less than 1
   */
  public Reconstructor withThreads(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(
          "invalid number of threads: " + threads + "; must be at least 1");
    }
    return new Reconstructor(kernel, threads, budget);
  }

  /**
   * Returns a copy with another budget.
   *
   * @param budget limits each adapter
   * @return the copy
   */
  public Reconstructor withBudget(Budget budget) {
    return new Reconstructor(kernel, threads, budget);
  }

  /**
   * Opens an adapter for reconstruction, layer by layer, on the caller's thread.
   *
   * @param adapter the adapter
   * @return reconstructs one of its layers
   * @throws LimitExceededException if all layers together would exceed the budget; nothing is
   *     computed then
   */
  public Function<Layer, Factors> open(Adapter adapter) throws LimitExceededException {
    budget.require(adapter);
    return layer -> factors(kernel, adapter, layer);
  }

  /**
   * Reconstructs all factors of an adapter in parallel, like {@link #digest}. All of them are in
   * memory at once, at 4 bytes an element.
   *
   * @param adapter the adapter
   * @return the factors of its layers, in file order
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
   * Reconstructs all factors of a file and verifies its digest. The returned arrays are the ones
   * that were hashed.
   *
   * @param file the file
   * @return the factors of its layers, in file order
   * @throws DigestMismatchException if the digest is not the file's
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  public List<Factors> verifiedFactors(AdapterFile file)
      throws DigestMismatchException, LimitExceededException {
    @Nullable Factors[] kept = new Factors[file.adapter().layers().size()];
    requireDigest(file, digest(file.adapter(), (layer, factors) -> kept[layer] = factors));
    return Arrays.stream(kept).map(Objects::requireNonNull).toList();
  }

  /**
   * Computes the digest tree of an adapter's reconstruction (SPEC.md section 8), in parallel over
   * layers and, if there are fewer layers than threads, over the elements of their factors. One
   * layer a thread is in memory at a time.
   *
   * @param adapter the adapter
   * @return its digest tree
   * @throws LimitExceededException if it would exceed the budget; nothing is computed then
   */
  public ReconstructionDigest digest(Adapter adapter) throws LimitExceededException {
    return digest(adapter, (_, _) -> {});
  }

  /**
   * Receives each layer's factors, by the layer's number, after they were hashed, on any thread.
   */
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
   * Reconstructs an adapter and returns it with its digest, ready to be written.
   *
   * @param adapter the adapter
   * @return the file
   * @throws LimitExceededException if reconstruction would exceed the budget
   */
  public AdapterFile seal(Adapter adapter) throws LimitExceededException {
    return new AdapterFile(adapter, digest(adapter).root());
  }

  /**
   * Reconstructs a file's adapter and verifies its digest.
   *
   * @param file the file
   * @return the digest tree, whose root is the file's
   * @throws DigestMismatchException if the digest is not the file's
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
