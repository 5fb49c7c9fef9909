package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class GarbageCollectorTest {

  private static final Duration GRACE = Duration.ofHours(1);
  private static final Duration LONGER = GRACE.plusSeconds(1);

  @TempDir private Path root;
  private final SettableClock clock = new SettableClock();
  private BlobStore store;
  private GarbageCollector collector;

  /** Creates an empty place of blobs, with its uploads in a folder. */
  StoreFixture create(Path folder) {
    return new StoreFixture.Directory(folder);
  }

  /** How often each publisher publishes against the collector. */
  int rounds() {
    return 300;
  }

  @BeforeEach
  void openStore() throws IOException {
    store = create(root).open(clock);
    collector = new GarbageCollector(store);
  }

  @Test
  void onlyOldUnreferencedBlobsAreDeleted() throws IOException {
    Sha256 garbage = Blobs.publish(store, Blobs.utf8("garbage"));
    Sha256 referenced = Blobs.publish(store, Blobs.utf8("referenced"));
    clock.advance(LONGER);
    Sha256 young = Blobs.publish(store, Blobs.utf8("young"));

    GarbageCollector.Collected collected =
        collector.collect(Set.of(referenced)::contains, GRACE, clock);

    assertThat(collected).isEqualTo(new GarbageCollector.Collected(1, 7));
    assertThat(store.find(garbage)).isEmpty();
    assertThat(Blobs.list(store))
        .extracting(BlobStore.Stored::digest)
        .containsExactlyInAnyOrder(referenced, young);
  }

  @Test
  void blobExactlyAsOldAsTheGraceIsSpared() throws IOException {
    Blobs.publish(store, Blobs.utf8("garbage"));
    clock.advance(GRACE);

    assertThat(collector.collect(_ -> false, GRACE, clock).blobs()).isZero();
  }

  @Test
  void databaseIsNotQueriedForYoungBlobs() throws IOException {
    Blobs.publish(store, Blobs.utf8("young"));
    List<Sha256> queried = new ArrayList<>();

    collector.collect(queried::add, GRACE, clock);

    assertThat(queried).isEmpty();
  }

  @Test
  void oldBlobReusedAfterTheQueryIsSpared() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("reused"));
    clock.advance(LONGER);

    collector.collect(
        _ -> {
          try {
            Blobs.publish(store, Blobs.utf8("reused"));
          } catch (IOException e) {
            throw new AssertionError(e);
          }
          return false;
        },
        GRACE,
        clock);

    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("reused"));
  }

  @Test
  void renewedBlobSurvivesCollection() throws IOException {
    Sha256 renewed = Blobs.publish(store, Blobs.utf8("renewed"));
    Sha256 forgotten = Blobs.publish(store, Blobs.utf8("forgotten"));
    clock.advance(LONGER);

    assertThat(store.renew(renewed)).isTrue();
    collector.collect(_ -> false, GRACE, clock);

    assertThat(Blobs.read(store, renewed)).isEqualTo(Blobs.utf8("renewed"));
    assertThat(store.find(forgotten)).isEmpty();
  }

  @Test
  void renewedBlobIsCollectedAfterAnotherGrace() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("renewed"));
    clock.advance(LONGER);
    store.renew(digest);
    clock.advance(LONGER);

    collector.collect(_ -> false, GRACE, clock);

    assertThat(store.find(digest)).isEmpty();
  }

  @Test
  void absentBlobCannotBeRenewed() throws IOException {
    Sha256 digest = Sha256.hash(Blobs.utf8("absent"));

    assertThat(store.renew(digest)).isFalse();

    assertThat(store.find(digest)).isEmpty();
  }

  @Test
  void negativeGraceIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> collector.collect(_ -> false, Duration.ofSeconds(-1), clock))
        .withMessageContaining("PT-1S");
  }

  /**
   * Publishers keep committing and dropping the same few blobs while the collector runs. Time jumps
   * past the grace only between publishes (they hold the read lock), which is exactly the rule that
   * a publish is shorter than the grace; collections overlap publishes freely.
   */
  @Test
  @Timeout(120)
  void noAcknowledgedBlobIsLostToAConcurrentCollection() throws Exception {
    int publishers = 8;
    int rounds = rounds();
    ReadWriteLock time = new ReentrantReadWriteLock(true);
    Map<Sha256, Integer> references = new ConcurrentHashMap<>();
    long collected = 0;
    try (ExecutorService executor = Executors.newFixedThreadPool(publishers)) {
      List<Future<?>> running = new ArrayList<>();
      for (int p = 0; p < publishers; p++) {
        int publisher = p;
        running.add(
            executor.submit(
                () -> {
                  for (int round = 0; round < rounds; round++) {
                    byte[] bytes = Blobs.utf8("blob " + (publisher + round) % 5);
                    Sha256 digest;
                    time.readLock().lock();
                    try {
                      digest = Blobs.publish(store, bytes);
                      references.merge(digest, 1, Integer::sum);
                    } finally {
                      time.readLock().unlock();
                    }
                    Thread.yield();
                    assertThat(Blobs.read(store, digest)).isEqualTo(bytes);
                    references.computeIfPresent(digest, (_, n) -> n == 1 ? null : n - 1);
                  }
                  return null;
                }));
      }
      while (!running.stream().allMatch(Future::isDone)) {
        time.writeLock().lock();
        try {
          clock.advance(LONGER);
        } finally {
          time.writeLock().unlock();
        }
        collected += collector.collect(references::containsKey, GRACE, clock).blobs();
      }
      for (Future<?> future : running) {
        future.get();
      }
    }
    // Otherwise nothing was put to the test.
    assertThat(collected).isPositive();
  }
}
