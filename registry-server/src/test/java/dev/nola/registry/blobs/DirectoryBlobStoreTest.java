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
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryBlobStoreTest {

  private static final String HELLO_SHA256 =
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

  private static final int ROUNDS = 200;

  @TempDir private Path root;
  private final SettableClock clock = new SettableClock();
  private DirectoryBlobStore store;

  @BeforeEach
  void openStore() throws IOException {
    store = DirectoryBlobStore.open(root, clock);
  }

  @Test
  void committedBytesAreFoundUnderTheirSha256() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(digest).hasToString("sha256:" + HELLO_SHA256);
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("hello"));
    assertThat(root.resolve("sha256", "2c", "f2", HELLO_SHA256)).hasContent("hello");
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
    assertThat(Blobs.filesUnder(root)).hasSize(1);

    upload.close();
    upload.close();

    assertThat(Blobs.filesUnder(root)).isEmpty();
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
      Files.delete(Blobs.filesUnder(root).getFirst());

      assertThatIOException().isThrownBy(upload::commit);
      assertThatIllegalStateException().isThrownBy(upload::commit).withMessageContaining("FAILED");
    }
    assertThat(Blobs.filesUnder(root)).isEmpty();
  }

  @Test
  void committingTheSameBytesTwiceKeepsOneBlobAndRenewsItsTime() throws IOException {
    Sha256 first = Blobs.publish(store, Blobs.utf8("hello"));
    clock.advance(Duration.ofHours(1));

    Sha256 second = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(second).isEqualTo(first);
    assertThat(Blobs.list(store)).containsExactly(new BlobStore.Stored(first, 5, clock.instant()));
    assertThat(Blobs.filesUnder(root)).hasSize(1);
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
    Files.writeString(Blobs.fileOf(root, digest), "jello");

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
  void fileThatBecameTooShortFailsInsteadOfEndingEarly() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    BlobStore.Blob blob = store.find(digest).orElseThrow();
    Files.writeString(Blobs.fileOf(root, digest), "hel");

    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> range(blob, 0, 5))
        .withMessageContaining("too early");
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
    DirectoryBlobStore other = DirectoryBlobStore.open(root, clock); // has locks of its own
    byte[] bytes = Blobs.utf8("hello");
    Instant cutoff = clock.instant();
    Sha256 digest = Blobs.publish(store, bytes);
    Path file = root.resolve("sha256", "2c", "f2", HELLO_SHA256);
    Random random = new Random(1);
    long committing = 0;
    int removed = 0;
    for (int i = 0; i < ROUNDS; i++) {
      Files.setLastModifiedTime(file, FileTime.from(cutoff.minusSeconds(1)));
      long pause = (long) (committing * random.nextDouble());
      CompletableFuture<Boolean> deletion =
          CompletableFuture.supplyAsync(() -> deleted(digest, cutoff, pause));
      long start = System.nanoTime();
      Blobs.publish(other, bytes);
      committing = System.nanoTime() - start;
      removed += deletion.join() ? 1 : 0;

      assertThat(file).as("round %d", i).hasContent("hello");
    }
    System.out.printf("%d of %d deletions came before the commit%n", removed, ROUNDS);
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
  void listIgnoresForeignFiles() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    Files.writeString(root.resolve("sha256", ".DS_Store"), "");
    Files.writeString(Blobs.fileOf(root, digest).resolveSibling("note"), "");
    Files.writeString(Blobs.fileOf(root, digest).resolveSibling("0".repeat(64)), "wrong shard");

    assertThat(Blobs.list(store)).extracting(BlobStore.Stored::digest).containsExactly(digest);
  }

  @Test
  void blobsOutliveTheStoreThatWroteThem() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(Blobs.read(DirectoryBlobStore.open(root, clock), digest))
        .isEqualTo(Blobs.utf8("hello"));
  }

  @Test
  void checkLeavesNoFiles() throws IOException {
    store.check();

    assertThat(Blobs.filesUnder(root)).isEmpty();
  }

  @Test
  void checkFailsIfUploadsCannotBeWritten() throws IOException {
    Files.delete(root.resolve("tmp"));

    assertThatIOException().isThrownBy(store::check);
  }

  @Test
  void checkFailsIfBlobsCannotBePublished() throws IOException {
    Files.delete(root.resolve("sha256"));

    assertThatIOException().isThrownBy(store::check);
    assertThat(Blobs.filesUnder(root)).isEmpty();
  }

  @Test
  void abandonedUploadsAreRemovedOnceOldEnough() throws IOException {
    DirectoryBlobStore crashed = DirectoryBlobStore.open(root, Clock.systemUTC());
    crashed.begin().write(Blobs.utf8("hello"), 0, 5);
    DirectoryBlobStore restarted =
        DirectoryBlobStore.open(root, Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));

    assertThat(restarted.removeAbandonedUploads(Duration.ofHours(3))).isZero();
    assertThat(restarted.removeAbandonedUploads(Duration.ofHours(1))).isEqualTo(1);
    assertThat(Blobs.filesUnder(root)).isEmpty();
  }

  @Test
  void uploadsStillOpenAreNotAbandoned() throws IOException {
    DirectoryBlobStore late =
        DirectoryBlobStore.open(root, Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));
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
