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
import java.util.List;
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
public final class Reconstructor implements Backend {
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
   * Budget#standard}.
   *
   * @return the reconstructor
   * @throws IllegalArgumentException if the system property {@link Kernels#PROPERTY} is invalid
   */
  public static Reconstructor standard() {
    return new Reconstructor(
        Kernels.chosen(), Runtime.getRuntime().availableProcessors(), Budget.standard());
  }

  @Override
  public String name() {
    return kernel.name();
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

  @Override
  public Reconstructor withBudget(Budget budget) {
    return new Reconstructor(kernel, threads, budget);
  }

  @Override
  public Function<Layer, Factors> open(Adapter adapter) throws LimitExceededException {
    return open(adapter, 1);
  }

  /**
   * Opens an adapter for reconstruction, layer by layer, on the callers' threads.
   *
   * @param adapter the adapter
   * @param atOnce the number of layers that the callers hold at one time
   * @return reconstructs one of its layers
   * @throws LimitExceededException if that many layers, or the work for all of them, would exceed
   *     the budget; nothing is computed then
   */
  public Function<Layer, Factors> open(Adapter adapter, int atOnce) throws LimitExceededException {
    budget.requireByLayer(adapter, atOnce);
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
    budget.requireWhole(adapter, threads);
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
    List<Factors> factors = factors(file.adapter());
    List<Callable<Sha256>> leaves = new ArrayList<>();
    factors.forEach(layer -> leaves.add(() -> ReconstructionDigest.leaf(layer)));
    try (ForkJoinPool pool = new ForkJoinPool(threads)) {
      file.requireDigest(digest(file.adapter(), leaves, pool).root());
    }
    return factors;
  }

  /**
   * Computes the digest tree of an adapter's reconstruction (SPEC.md section 8), in parallel over
   * layers and, if there are fewer layers than threads, over the elements of their factors. Of each
   * layer that is computed, a part is in memory at a time; a whole factor for a transform.
   *
   * @param adapter the adapter
   * @return its digest tree
   * @throws LimitExceededException if it would exceed the budget; nothing is computed then
   */
  @Override
  public ReconstructionDigest digest(Adapter adapter) throws LimitExceededException {
    int atOnce = budget.requireStreamed(adapter, threads);
    try (ForkJoinPool pool = new ForkJoinPool(threads);
        ForkJoinPool layers = new ForkJoinPool(atOnce)) {
      Kernel parallel = Kernels.parallel(kernel, pool);
      List<Callable<Sha256>> leaves = new ArrayList<>();
      for (Layer layer : adapter.layers()) {
        leaves.add(() -> leaf(parallel, adapter, layer));
      }
      // In one pool, threads that wait for the parts of a factor help with other factors' parts.
      return digest(adapter, leaves, atOnce < threads ? layers : pool);
    }
  }

  private static ReconstructionDigest digest(
      Adapter adapter, List<Callable<Sha256>> layers, ForkJoinPool pool) {
    List<Callable<Sha256>> leaves = new ArrayList<>(layers);
    for (DenseTensor tensor : adapter.dense()) {
      leaves.add(() -> ReconstructionDigest.leaf(tensor));
    }
    List<Sha256> hashed = inParallel(pool, leaves);
    return ReconstructionDigest.of(
        hashed.subList(0, layers.size()), hashed.subList(layers.size(), hashed.size()));
  }

  /** Computes a layer's leaf without holding more of a factor than its generator needs. */
  private static Sha256 leaf(Kernel kernel, Adapter adapter, Layer layer) {
    TreeHash leaf = ReconstructionDigest.begin(layer);
    for (Side side : Side.values()) {
      Basis basis = layer.basis(adapter.generator(), adapter.seed(), side);
      Codes codes = layer.codes(side);
      if (basis == null || codes == null) {
        continue;
      }
      kernel.stream(basis, codes.values(), scale(layer, side), leaf::floats);
    }
    return leaf.finish();
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
    kernel.combine(basis, codes.values(), scale(layer, side), factor);
    return factor;
  }

  private static float scale(Layer layer, Side side) {
    return side == Side.A ? layer.scale() : 1;
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
