package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every blob store does, whatever keeps the bytes. */
abstract class BlobStoreContract {

  private static final String HELLO_SHA256 =
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

  @TempDir private Path root;
  final SettableClock clock = new SettableClock();
  StoreFixture fixture;
  BlobStore store;

  /** Creates an empty place of blobs, with its uploads in a folder. */
  abstract StoreFixture create(Path root);

  /** How often a race is run: as often as takes a few seconds. */
  abstract int rounds();

  @BeforeEach
  void openStore() throws IOException {
    fixture = create(root);
    store = fixture.open(clock);
  }

  @Test
  void committedBytesAreFoundUnderTheirSha256() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(digest).hasToString("sha256:" + HELLO_SHA256);
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("hello"));
    assertThat(Blobs.list(store)).containsExactly(new BlobStore.Stored(digest, 5, clock.instant()));
  }

  @Test
  void emptyBlobIsABlob() throws IOException {
    Sha256 digest = Blobs.publish(store, new byte[0]);

    assertThat(Blobs.read(store, digest)).isEmpty();
  }

  @Test
  void writeStoresOnlyItsRange() throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(Blobs.utf8("xhelx"), 1, 3);
      upload.write(Blobs.utf8("lo"), 0, 2);

      assertThat(upload.size()).isEqualTo(5);
      assertThat(upload.commit().hex()).isEqualTo(HELLO_SHA256);
    }
  }

  @Test
  void uploadCanBeReadAgainBeforeItIsCommitted() throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(Blobs.utf8("hel"), 0, 3);
      assertThat(readAgain(upload)).isEqualTo(Blobs.utf8("hel"));
      upload.write(Blobs.utf8("lo"), 0, 2);
      assertThat(readAgain(upload)).isEqualTo(Blobs.utf8("hello"));

      assertThat(upload.commit().hex()).isEqualTo(HELLO_SHA256);
    }
  }

  @Test
  void uploadIsInvisibleUntilCommitted() throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(Blobs.utf8("hello"), 0, 5);

      assertThat(store.find(Sha256.parse("sha256:" + HELLO_SHA256))).isEmpty();
      assertThat(Blobs.list(store)).isEmpty();
    }
  }

  @Test
  void concurrentReaderSeesAllBytesOrNone() throws IOException {
    byte[] bytes = new byte[4 * 1024 * 1024];
    new Random(1).nextBytes(bytes);
    Sha256 digest = Sha256.hash(bytes);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int i = 0; i < 5; i++) {
                  Blobs.publish(store, bytes);
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    boolean done;
    do {
      done = writer.isDone();
      if (store.find(digest).isPresent()) {
        assertThat(Blobs.read(store, digest)).isEqualTo(bytes);
      }
    } while (!done);
    writer.join();
    assertThat(store.find(digest)).isPresent();
  }

  @Test
  void closeWithoutCommitLeavesNoTrace() throws IOException {
    BlobStore.Upload upload = store.begin();
    upload.write(Blobs.utf8("hello"), 0, 5);
    assertThat(fixture.count()).isEqualTo(1);

    upload.close();
    upload.close();

    assertThat(fixture.count()).isZero();
  }

  @Test
  void committedOrClosedUploadAcceptsNoBytes() throws IOException {
    BlobStore.Upload upload = store.begin();
    upload.commit();
    assertThat(upload.commit()).as("repeated").isEqualTo(upload.digest());
    assertThatIllegalStateException().isThrownBy(() -> upload.write(new byte[1], 0, 1));
    upload.close();

    BlobStore.Upload closed = store.begin();
    closed.close();
    assertThatIllegalStateException().isThrownBy(closed::commit).withMessageContaining("CLOSED");
    assertThatIllegalStateException().isThrownBy(closed::open);
  }

  @Test
  void uploadThatFailedToCommitIsNotCommittedAgain() throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(Blobs.utf8("hello"), 0, 5);
      Files.delete(Blobs.filesUnder(fixture.uploads()).getFirst());

      assertThatIOException().isThrownBy(upload::commit);
      assertThatIllegalStateException().isThrownBy(upload::commit).withMessageContaining("FAILED");
    }
    assertThat(fixture.count()).isZero();
  }

  @Test
  void committingTheSameBytesTwiceKeepsOneBlobAndRenewsItsTime() throws IOException {
    Sha256 first = Blobs.publish(store, Blobs.utf8("hello"));
    clock.advance(Duration.ofHours(1));

    Sha256 second = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(second).isEqualTo(first);
    assertThat(Blobs.list(store)).containsExactly(new BlobStore.Stored(first, 5, clock.instant()));
    assertThat(fixture.count()).isEqualTo(1);
  }

  @Test
  void blobIsDatedByItsCommitNotByItsUpload() throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(Blobs.utf8("hello"), 0, 5);
      clock.advance(Duration.ofHours(1));
      upload.commit();
    }
    assertThat(Blobs.list(store).getFirst().lastModified()).isEqualTo(clock.instant());
  }

  @Test
  void committingTheSameBytesHealsACorruptBlob() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    fixture.damage(digest, Blobs.utf8("jello"));

    Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("hello"));
  }

  @Test
  void rangeReturnsExactlyItsBytes() throws IOException {
    BlobStore.Blob blob = store.find(Blobs.publish(store, Blobs.utf8("0123456789"))).orElseThrow();

    assertThat(blob.size()).isEqualTo(10);
    assertThat(range(blob, 0, 10)).isEqualTo("0123456789");
    assertThat(range(blob, 3, 4)).isEqualTo("3456");
    assertThat(range(blob, 9, 1)).isEqualTo("9");
    assertThat(range(blob, 10, 0)).isEmpty();
    try (InputStream in = blob.open(8, 2)) {
      assertThat(in.read()).isEqualTo('8');
      assertThat(in.read()).isEqualTo('9');
      assertThat(in.read()).isEqualTo(-1);
    }
  }

  @Test
  void rangeOutsideTheBlobIsRefused() throws IOException {
    BlobStore.Blob blob = store.find(Blobs.publish(store, Blobs.utf8("0123456789"))).orElseThrow();

    assertOutOfBounds(blob, 0, 11);
    assertOutOfBounds(blob, 11, 0);
    assertOutOfBounds(blob, -1, 1);
    assertOutOfBounds(blob, 0, -1);
    assertOutOfBounds(blob, 1, Long.MAX_VALUE);
  }

  @Test
  void blobThatBecameTooShortFailsInsteadOfEndingEarly() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    BlobStore.Blob blob = store.find(digest).orElseThrow();
    fixture.damage(digest, Blobs.utf8("hel"));

    assertThatIOException().isThrownBy(() -> range(blob, 0, 5));
  }

  @Test
  void damagedBytesAreReadWithAnotherIdentity() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    Object identity = store.find(digest).orElseThrow().identity();
    assertThat(store.find(digest).orElseThrow().identity()).isEqualTo(identity);

    fixture.damage(digest, Blobs.utf8("jello!"));

    assertThat(store.find(digest).orElseThrow().identity()).isNotEqualTo(identity);
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("jello!"));
  }

  @Test
  void deletingAnAbsentBlobDoesNothing() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    store.delete(digest);
    store.delete(digest);

    assertThat(store.find(digest)).isEmpty();
    assertThat(Blobs.list(store)).isEmpty();
  }

  @Test
  void conditionalDeleteSparesBlobsNotOlderThanTheCutoff() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    Instant committed = clock.instant();

    assertThat(store.deleteIfModifiedBefore(digest, committed)).isFalse();
    assertThat(store.deleteIfModifiedBefore(digest, committed.plusNanos(1000))).isTrue();
    assertThat(store.deleteIfModifiedBefore(digest, committed.plusNanos(1000))).isFalse();
  }

  @Test
  void commitByAnotherProcessDuringAConditionalDeleteIsKept() throws Exception {
    BlobStore other = fixture.open(clock); // has locks of its own
    byte[] bytes = Blobs.utf8("hello");
    Instant cutoff = clock.instant().plusSeconds(1);
    Sha256 digest = Sha256.hash(bytes);
    Random random = new Random(1);
    long committing = 0;
    int removed = 0;
    for (int i = 0; i < rounds(); i++) {
      store.delete(digest);
      Blobs.publish(store, bytes);
      clock.advance(Duration.ofHours(1));
      long pause = (long) (committing * random.nextDouble());
      CompletableFuture<Boolean> deletion =
          CompletableFuture.supplyAsync(() -> deleted(digest, cutoff, pause));
      long start = System.nanoTime();
      Blobs.publish(other, bytes);
      committing = System.nanoTime() - start;
      removed += deletion.join() ? 1 : 0;

      assertThat(Blobs.read(store, digest)).as("round %d", i).isEqualTo(bytes);
      clock.advance(Duration.ofHours(-1));
    }
    System.out.printf("%d of %d deletions came before the commit%n", removed, rounds());
  }

  private boolean deleted(Sha256 digest, Instant cutoff, long pause) {
    for (long start = System.nanoTime(); System.nanoTime() - start < pause; ) {
      Thread.onSpinWait();
    }
    try {
      return store.deleteIfModifiedBefore(digest, cutoff);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void listIsInTheOrderOfDigests() throws IOException {
    for (int i = 0; i < 10; i++) {
      Blobs.publish(store, Blobs.utf8("blob " + i));
    }
    assertThat(Blobs.list(store))
        .hasSize(10)
        .isSortedAccordingTo(Comparator.comparing(BlobStore.Stored::digest));
  }

  @Test
  void listIgnoresForeignFiles() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    fixture.addForeign(digest);

    assertThat(Blobs.list(store)).extracting(BlobStore.Stored::digest).containsExactly(digest);
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("hello"));
  }

  @Test
  void blobsOutliveTheStoreThatWroteThem() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(Blobs.read(fixture.open(clock), digest)).isEqualTo(Blobs.utf8("hello"));
  }

  @Test
  void checkLeavesNoFiles() throws IOException {
    store.check();

    assertThat(fixture.count()).isZero();
  }

  @Test
  void checkFailsIfUploadsCannotBeWritten() throws IOException {
    Files.delete(fixture.uploads());

    assertThatIOException().isThrownBy(store::check);
  }

  @Test
  void abandonedUploadsAreRemovedOnceOldEnough() throws IOException {
    BlobStore crashed = fixture.open(Clock.systemUTC());
    crashed.begin().write(Blobs.utf8("hello"), 0, 5);
    BlobStore restarted = fixture.open(Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));

    assertThat(restarted.removeAbandonedUploads(Duration.ofHours(3))).isZero();
    assertThat(restarted.removeAbandonedUploads(Duration.ofHours(1))).isEqualTo(1);
    assertThat(fixture.count()).isZero();
  }

  @Test
  void uploadsStillOpenAreNotAbandoned() throws IOException {
    BlobStore late = fixture.open(Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));
    try (BlobStore.Upload upload = late.begin()) {
      upload.write(Blobs.utf8("hello"), 0, 5);

      assertThat(late.removeAbandonedUploads(Duration.ZERO)).isZero();
      assertThat(upload.commit().hex()).isEqualTo(HELLO_SHA256);
    }
  }

  @Test
  void negativeAgeOfAbandonedUploadsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> store.removeAbandonedUploads(Duration.ofSeconds(-1)))
        .withMessageContaining("PT-1S");
  }

  private static byte[] readAgain(BlobStore.Upload upload) throws IOException {
    try (InputStream in = upload.open()) {
      return in.readAllBytes();
    }
  }

  private static String range(BlobStore.Blob blob, long offset, long length) throws IOException {
    try (InputStream in = blob.open(offset, length)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static void assertOutOfBounds(BlobStore.Blob blob, long offset, long length) {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> range(blob, offset, length));
  }
}
