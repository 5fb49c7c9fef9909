package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class S3BlobStoreTest extends BlobStoreContract {
  @Override
  StoreFixture create(Path folder) {
    return S3Fixture.create(folder);
  }

  @Override
  int rounds() {
    return 20;
  }

  @Test
  void largeBlobIsSentInPartsAndRenewedInParts() throws IOException {
    byte[] bytes = new byte[2 * S3Fixture.PART + 1];
    new Random(1).nextBytes(bytes);
    Sha256 digest = Blobs.publish(store, bytes);
    clock.advance(Duration.ofHours(1));

    assertThat(store.renew(digest)).isTrue();

    assertThat(Blobs.list(store))
        .containsExactly(new BlobStore.Stored(digest, bytes.length, clock.instant()));
    assertThat(Blobs.read(store, digest)).isEqualTo(bytes);
    assertThat(fixture.count()).isEqualTo(1);
  }

  @Test
  void readerOfAReplacedObjectContinuesInTheNewOne() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("0123456789"));
    BlobStore.Blob found = store.find(digest).orElseThrow();
    clock.advance(Duration.ofHours(1));
    store.renew(digest);

    try (InputStream bytes = found.open(2, 8)) {
      assertThat(bytes.readAllBytes()).isEqualTo(Blobs.utf8("23456789"));
    }
  }

  @Test
  void skippedBytesAreNotReturned() throws IOException {
    BlobStore.Blob blob = store.find(Blobs.publish(store, Blobs.utf8("0123456789"))).orElseThrow();

    try (InputStream bytes = blob.open(1, 9)) {
      assertThat(bytes.read()).isEqualTo('1');
      assertThat(bytes.skip(5)).isEqualTo(5);
      assertThat(bytes.readAllBytes()).isEqualTo(Blobs.utf8("789"));
    }
  }

  @Test
  void latestOfTheObjectsOfADigestIsTheBlob() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    Instant later = clock.instant().plusSeconds(1);
    ((S3Fixture) fixture).addCopy(digest, later, Blobs.utf8("jello!"));

    assertThat(Blobs.list(store)).containsExactly(new BlobStore.Stored(digest, 6, later));
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("jello!"));
    assertThat(store.deleteIfModifiedBefore(digest, later)).as("dated by the latest").isFalse();
    assertThat(fixture.count()).isEqualTo(2);
    assertThat(store.renew(digest)).isTrue();
    assertThat(Blobs.read(store, digest)).isEqualTo(Blobs.utf8("jello!"));
    assertThat(fixture.count()).as("the others are removed").isEqualTo(1);
  }

  @Test
  void blobIsReadByOneRequest(@TempDir Path folder) throws IOException {
    byte[] bytes = new byte[S3Fixture.PART + 1];
    try (FaultyProxy proxy = new FaultyProxy(S3Server.shared().endpoint())) {
      BlobStore proxied = S3Fixture.create(folder, proxy.endpoint()).open(clock);
      BlobStore.Blob blob = proxied.find(Blobs.publish(proxied, bytes)).orElseThrow();

      try (InputStream read = blob.open(0, blob.size())) {
        assertThat(read.readAllBytes()).isEqualTo(bytes);
      }
      assertThat(proxy.requests("GET .*/sha256/")).hasSize(1);
    }
  }

  @Test
  void commitLeavesNoFileOpen() throws IOException {
    Blobs.publish(store, Blobs.utf8("hello"));
    Blobs.publish(store, new byte[S3Fixture.PART + 1]);

    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(open.filter(Files::isSymbolicLink).map(S3BlobStoreTest::target))
          .noneMatch(target -> target.startsWith(fixture.uploads()));
    }
  }

  private static Path target(Path link) {
    try {
      return Files.readSymbolicLink(link);
    } catch (IOException _) {
      return link; // closed since
    }
  }

  @Test
  void listReadsAllPages() throws IOException {
    int moreThanAPage = 1001;
    ((S3Fixture) fixture).addEmptyBlobs(moreThanAPage, clock.instant());

    assertThat(Blobs.list(store)).hasSize(moreThanAPage);
    try (Stream<BlobStore.Stored> some = store.list()) {
      assertThat(some.limit(2)).isSortedAccordingTo(Comparator.comparing(BlobStore.Stored::digest));
    }
  }
}
