package dev.nola.client.pool;

import dev.nola.format.AdapterFile;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Adapters by name. All are held as the bytes of their files; those used last are held with their
 * factors too, up to a number of bytes. Thread-safe.
 *
 * <p><b>Bits.</b> The first activation of an adapter hashes the factors and compares their digest
 * with the file's before anyone gets them, and only what was hashed is handed out. Later
 * activations of the same bytes do not hash, which is more than half of the work: they run the same
 * exact arithmetic on the same bytes. What hashing each time would find beyond that is a fault of
 * the machine. Replacing an adapter begins anew.
 *
 * <p><b>Memory.</b> The factors that the pool itself holds never exceed the bound; the adapter that
 * is being activated comes on top, one at a time, and so does what callers still have of adapters
 * that were evicted. The least recently asked for is evicted first. An adapter that exceeds the
 * bound by itself is handed out and not kept.
 *
 * <p><b>Concurrency.</b> However many threads ask for an adapter, it is activated once and all get
 * the same. Activations run one after another, each on all threads of the pool, so that no number
 * of callers takes more processors. A failed activation fails for those who were waiting for it;
 * the next to ask tries again.
 */
public final class AdapterPool implements AutoCloseable {
  /** Most bytes of dense tensors in a held file, which is one array. */
  private static final long MOST_DENSE = 1L << 30;

  private final long activeBound;
  private final Reconstructor reconstructor;
  private final ExecutorService activator =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("nola-adapter-pool").factory());

  private final Object lock = new Object();
  private final Map<String, Held> adapters = new HashMap<>();

  /** Least recently asked for first. */
  private final Map<Held, ActiveAdapter> active = new LinkedHashMap<>(16, 0.75f, true);

  private final Set<CompletableFuture<ActiveAdapter>> underWay = new HashSet<>();
  private boolean closed;
  private long heldBytes;
  private long activeBytes;
  private long hits;
  private long activations;
  private long failures;
  private long evictions;

  /** One adapter under one name; its fields are guarded by the pool's lock, but for the bytes. */
  private static final class Held {
    final String name;
    final byte[] file;
    boolean verified;
    @Nullable CompletableFuture<ActiveAdapter> underWay;

    Held(String name, byte[] file) {
      this.name = name;
      this.file = file;
    }
  }

  /**
   * What a pool holds and has done.
   *
   * @param adapters number of adapters
   * @param heldBytes of their files
   * @param active number of adapters whose factors the pool holds
   * @param activeBytes of their factors and dense tensors
   * @param hits requests that found the adapter active, or its activation under way
   * @param activations that succeeded
   * @param failures activations that failed
   * @param evictions of factors that had to make room; removals and replacements do not count
   */
  public record Metrics(
      int adapters,
      long heldBytes,
      int active,
      long activeBytes,
      long hits,
      long activations,
      long failures,
      long evictions) {}

  /**
   * An empty pool.
   *
   * @param activeBound most bytes of factors and dense tensors to hold; with 0 none are kept
   * @param reconstructor activates, with its kernel, number of threads and budget
   * @throws IllegalArgumentException if {@code activeBound} is negative
   */
  public AdapterPool(long activeBound, Reconstructor reconstructor) {
    if (activeBound < 0) {
      throw new IllegalArgumentException(
          "invalid activeBound: " + activeBound + "; must not be negative");
    }
    this.activeBound = activeBound;
    this.reconstructor = reconstructor;
  }

  /**
   * Adds an adapter, or replaces the one of this name. Who waits for an activation of the replaced
   * one still gets it. Nothing is reconstructed yet, so an adapter that will fail verification is
   * taken too.
   *
   * @param name the adapter's name in the pool
   * @param file the adapter
   * @throws LimitExceededException if reconstruction would exceed the budget
   * @throws IllegalArgumentException if it has more than a gibibyte of dense tensors
   * @throws IllegalStateException if the pool is closed
   */
  public void put(String name, AdapterFile file) throws LimitExceededException {
    reconstructor.open(file.adapter());
    long dense =
        file.adapter().dense().stream().map(DenseTensor::data).mapToLong(s -> s.byteSize()).sum();
    if (dense > MOST_DENSE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "adapter %s has %,d bytes of dense tensors; a pool accepts at most %,d per adapter",
              name,
              dense,
              MOST_DENSE));
    }
    Held held = new Held(name, file.toBytes());
    synchronized (lock) {
      requireOpen();
      drop(adapters.put(name, held));
      heldBytes += held.file.length;
    }
  }

  /**
   * Removes an adapter. Who has it keeps it; who waits for its activation still gets it.
   *
   * @param name the adapter's name in the pool
   * @return whether there was one of this name
   */
  public boolean remove(String name) {
    synchronized (lock) {
      Held held = adapters.remove(name);
      drop(held);
      return held != null;
    }
  }

  private void drop(@Nullable Held held) {
    if (held != null) {
      heldBytes -= held.file.length;
      ActiveAdapter dropped = active.remove(held);
      activeBytes -= dropped == null ? 0 : dropped.bytes();
    }
  }

  /**
   * Returns a snapshot of the names of all adapters.
   *
   * @return the names
   */
  public Set<String> names() {
    synchronized (lock) {
      return Set.copyOf(adapters.keySet());
    }
  }

  /**
   * Returns an adapter with its factors: at once if it is active, else as soon as it has been
   * activated. Interrupting a thread ends its waiting, not the activation, which others may be
   * waiting for.
   *
   * @param name the adapter's name in the pool
   * @return the active adapter
   * @throws NoSuchElementException if the name is unknown
   * @throws DigestMismatchException if other bits came out than the author had
   * @throws InterruptedException if the thread was interrupted while it waited
   * @throws IllegalStateException if the pool is closed, or was closed meanwhile
   */
  public ActiveAdapter activate(String name) throws DigestMismatchException, InterruptedException {
    CompletableFuture<ActiveAdapter> activation;
    synchronized (lock) {
      requireOpen();
      Held held = adapters.get(name);
      if (held == null) {
        throw new NoSuchElementException("the pool has no adapter " + name);
      }
      ActiveAdapter found = active.get(held);
      if (found != null) {
        hits++;
        return found;
      }
      activation = held.underWay;
      if (activation == null) {
        activation = begin(held);
      } else {
        hits++;
      }
    }
    try {
      return activation.get();
    } catch (ExecutionException e) {
      throw failure(name, e.getCause());
    }
  }

  /**
   * Returns what the pool holds and has done so far.
   *
   * @return the metrics
   */
  public Metrics metrics() {
    synchronized (lock) {
      return new Metrics(
          adapters.size(),
          heldBytes,
          active.size(),
          activeBytes,
          hits,
          activations,
          failures,
          evictions);
    }
  }

  /**
   * Drops everything and ends the activation that is under way; who waits for one gets an {@link
   * IllegalStateException}. Adapters that callers have stay as they are.
   */
  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      adapters.clear();
      active.clear();
      heldBytes = 0;
      activeBytes = 0;
      underWay.forEach(activation -> activation.completeExceptionally(closedMeanwhile()));
      underWay.clear();
    }
    activator.shutdownNow();
  }

  private void requireOpen() {
    if (closed) {
      throw closedMeanwhile();
    }
  }

  private static IllegalStateException closedMeanwhile() {
    return new IllegalStateException("the adapter pool is closed");
  }

  private CompletableFuture<ActiveAdapter> begin(Held held) {
    CompletableFuture<ActiveAdapter> activation = new CompletableFuture<>();
    boolean verified = held.verified;
    held.underWay = activation;
    underWay.add(activation);
    activator.execute(
        () -> {
          try {
            ActiveAdapter activated = reconstruct(held.file, verified);
            end(held, activation, activated);
            activation.complete(activated);
          } catch (Throwable e) { // whatever it is, those who wait must hear of it
            end(held, activation, null);
            activation.completeExceptionally(e);
          }
        });
    return activation;
  }

  private ActiveAdapter reconstruct(byte[] bytes, boolean verified) throws Exception {
    AdapterFile file = AdapterFile.read(bytes);
    List<Factors> factors =
        verified ? reconstructor.factors(file.adapter()) : reconstructor.verifiedFactors(file);
    return new ActiveAdapter(file.adapter(), factors);
  }

  /** Keeps what was activated, unless it was removed meanwhile; null if activation failed. */
  private void end(
      Held held, CompletableFuture<ActiveAdapter> activation, @Nullable ActiveAdapter activated) {
    synchronized (lock) {
      held.underWay = null;
      underWay.remove(activation);
      if (activated == null) {
        failures++;
        return;
      }
      activations++;
      held.verified = true;
      long bytes = activated.bytes();
      if (adapters.get(held.name) != held || bytes > activeBound) {
        return;
      }
      var eldest = active.values().iterator();
      while (activeBytes > activeBound - bytes) {
        activeBytes -= eldest.next().bytes();
        eldest.remove();
        evictions++;
      }
      active.put(held, activated);
      activeBytes += bytes;
    }
  }

  /** What went wrong, anew for each thread that waited for it. */
  private static RuntimeException failure(String name, @Nullable Throwable cause)
      throws DigestMismatchException {
    if (cause instanceof DigestMismatchException mismatch) {
      var own = new DigestMismatchException(mismatch.expected(), mismatch.actual());
      own.initCause(mismatch);
      throw own;
    }
    if (cause instanceof Error error) {
      throw error;
    }
    String message = cause == null ? "" : cause.getMessage();
    return new IllegalStateException("adapter " + name + " was not activated: " + message, cause);
  }
}
