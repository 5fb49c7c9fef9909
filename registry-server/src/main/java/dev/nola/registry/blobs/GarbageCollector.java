package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Deletes blobs that nothing refers to.
 *
 * <p>A publish first commits its blobs and then records the reference to them, so for a while a
 * blob is rightly there without a reference. Three steps in this order keep it: only blobs older
 * than the grace period are considered; then the database is asked; then {@link
 * BlobStore#deleteIfModifiedBefore} checks the age again and deletes. A publish that reuses old
 * bytes either renews their age before the last step, which then spares them, or commits them again
 * after the deletion.
 *
 * <p>The grace period must exceed the longest publish, counted from the first {@code commit()} of a
 * blob to the end of the database transaction that refers to it, in whichever process it runs; with
 * several processes, add the largest difference between their clocks. A publish that takes longer
 * must be rolled back. Collections may run while several processes publish to the same store: a
 * commit that falls between the check and the removal, in whichever process, leaves the bytes there
 * (see {@link BlobStore#deleteIfModifiedBefore}).
 */
public final class GarbageCollector {

  private final BlobStore store;

  /**
   * Creates a collector.
   *
   * @param store whose blobs it deletes
   */
  public GarbageCollector(BlobStore store) {
    this.store = store;
  }

  /**
   * Collects garbage in the whole store once.
   *
   * @param isReferenced asks the database, seeing all transactions committed before the call; an
   *     exception from it ends the collection and is passed on
   * @param grace how old a blob must at least be to be deleted; see the class for what it must
   *     exceed
   * @param clock the time that the store dates blobs by
   * @return what was deleted
   * @throws IllegalArgumentException if {@code grace} is negative
   * @throws IOException if the store fails; some garbage may have been deleted
   */
  public Collected collect(Predicate<Sha256> isReferenced, Duration grace, Clock clock)
      throws IOException {
    if (grace.isNegative()) {
      throw new IllegalArgumentException("invalid grace: " + grace + "; must not be negative");
    }
    Instant cutoff = clock.instant().minus(grace);
    long blobs = 0;
    long bytes = 0;
    try (Stream<BlobStore.Stored> all = store.list()) {
      for (BlobStore.Stored stored : (Iterable<BlobStore.Stored>) all::iterator) {
        // The order matters: a reference recorded after the question belongs to a commit that is
        // younger than the cutoff, which the deletion then sees.
        if (stored.lastModified().isBefore(cutoff)
            && !isReferenced.test(stored.digest())
            && store.deleteIfModifiedBefore(stored.digest(), cutoff)) {
          blobs++;
          bytes += stored.size();
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new Collected(blobs, bytes);
  }

  /**
   * The blobs that a collection deleted.
   *
   * @param blobs their number
   * @param bytes the sum of their sizes
   */
  public record Collected(long blobs, long bytes) {}
}
