package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import dev.nola.registry.Await;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections to S3 that fail: nothing is half-published, and nothing acknowledged is lost. */
class S3FaultTest {
  private static final String PUT = "PUT .*sha256";
  private static final String GET = "GET .*sha256/[0-9a-f]{64}/";
  private static final byte[] SMALL = bytes(100_000);
  private static final byte[] LARGE = bytes(S3Fixture.PART + 100_000);

  @TempDir private Path root;
  private FaultyProxy proxy;
  private S3Fixture fixture;
  private BlobStore store;

  @BeforeEach
  void open() throws IOException {
    proxy = new FaultyProxy(S3Server.shared().endpoint());
    fixture = S3Fixture.create(root, proxy.endpoint());
    store = fixture.open(Clock.systemUTC());
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
  }

  private static byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "LATE_ERROR", "SILENCE", "CUT_REQUEST", "LOST_ANSWER"})
  void commitSucceedsAfterAFaultThatPasses(FaultyProxy.Fault fault) throws IOException {
    proxy.plan(fault, PUT, 1);

    Sha256 small = Blobs.publish(store, SMALL);

    assertThat(proxy.requests(PUT)).hasSize(2);
    assertThat(Blobs.read(store, small)).isEqualTo(SMALL);
    assertThat(fixture.count()).as("one object, and nothing else").isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "CUT_REQUEST", "CUT_ANSWER", "LOST_ANSWER"})
  void commitInPartsSucceedsAfterAFaultOfEachRequest(FaultyProxy.Fault fault) throws IOException {
    proxy.plan(fault, "PUT .*partNumber=2", 1);
    proxy.plan(fault, "POST .*uploadId", 1);

    Sha256 large = Blobs.publish(store, LARGE);

    assertThat(Blobs.read(store, large)).isEqualTo(LARGE);
    assertThat(fixture.count()).as("one object, and nothing else").isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "SILENCE", "CUT_REQUEST", "FLIPPED_UPLOAD"})
  void commitThatNeverReachesS3FailsAndPublishesNothing(FaultyProxy.Fault fault)
      throws IOException {
    proxy.plan(fault, PUT, Integer.MAX_VALUE);

    try (BlobStore.Upload upload = store.begin()) {
      upload.write(SMALL, 0, SMALL.length);
      assertThatIOException()
          .isThrownBy(upload::commit)
          .withMessageContaining("cannot write sha256/" + upload.digest().hex())
          .withMessageContaining("in bucket " + fixture.settings().bucket());
    }
    proxy.recover();

    assertThat(store.find(Sha256.hash(SMALL))).isEmpty();
    assertThat(fixture.count()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"LATE_ERROR", "LOST_ANSWER"})
  void commitWhoseAnswersAreAllLostFailsAndLeavesAWholeBlobOrNone(FaultyProxy.Fault fault)
      throws IOException {
    proxy.plan(fault, PUT, Integer.MAX_VALUE);
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(SMALL, 0, SMALL.length);
      assertThatIOException().isThrownBy(upload::commit).withMessageContaining("cannot write");
    }
    proxy.recover();

    assertThat(Blobs.read(store, Sha256.hash(SMALL))).isEqualTo(SMALL);
    Blobs.publish(store, SMALL);
    assertThat(fixture.count()).as("the repeated commit replaces the first").isEqualTo(1);
  }

  @Test
  void partsThatCannotBeJoinedAreRemoved() throws IOException {
    proxy.plan(FaultyProxy.Fault.ERROR, "POST .*uploadId", Integer.MAX_VALUE);

    assertThatIOException().isThrownBy(() -> Blobs.publish(store, LARGE));

    assertThat(store.find(Sha256.hash(LARGE))).isEmpty();
    assertThat(fixture.count()).isZero();
  }

  @Test
  void partsOfACrashedProcessAreRemovedOnceOldEnough() throws IOException {
    proxy.plan(FaultyProxy.Fault.ERROR, "POST .*uploadId", Integer.MAX_VALUE);
    proxy.plan(FaultyProxy.Fault.ERROR, "DELETE .*uploadId", Integer.MAX_VALUE);
    assertThatIOException().isThrownBy(() -> Blobs.publish(store, LARGE));
    proxy.recover();
    assertThat(fixture.count()).as("the upload in parts").isEqualTo(1);
    BlobStore later = fixture.open(Clock.offset(Clock.systemUTC(), Duration.ofHours(2)));

    assertThat(later.removeAbandonedUploads(Duration.ofHours(3))).isZero();
    assertThat(later.removeAbandonedUploads(Duration.ofHours(1))).isEqualTo(1);
    assertThat(fixture.count()).isZero();
  }

  @Test
  void replacedBlobStaysIfTheNewOneCannotBeWritten() throws IOException {
    Sha256 digest = Blobs.publish(store, SMALL);
    proxy.plan(FaultyProxy.Fault.ERROR, PUT, Integer.MAX_VALUE);

    assertThatIOException().isThrownBy(() -> Blobs.publish(store, SMALL));
    assertThatIOException().isThrownBy(() -> store.renew(digest)).withMessageContaining("copy");

    assertThat(Blobs.read(store, digest)).isEqualTo(SMALL);
  }

  @Test
  void renewalSucceedsIfReplacedObjectsCannotBeDeleted() throws IOException {
    Sha256 digest = Blobs.publish(store, SMALL);
    proxy.plan(FaultyProxy.Fault.ERROR, "DELETE", Integer.MAX_VALUE);

    assertThat(store.renew(digest)).isTrue();
    assertThat(fixture.count()).isEqualTo(2);
    assertThatIOException().isThrownBy(() -> store.delete(digest)).withMessageContaining("delete");
    proxy.recover();

    assertThat(Blobs.list(store)).hasSize(1);
    store.delete(digest);
    assertThat(fixture.count()).isZero();
  }

  @Test
  void commitOfAServerWhoseClockIsSlowReplacesABlobThatCannotBeDeleted() throws IOException {
    BlobStore fast = fixture.open(Clock.offset(Clock.systemUTC(), Duration.ofHours(1)));
    Sha256 digest = Blobs.publish(fast, SMALL);
    fixture.damage(digest, LARGE);
    proxy.plan(FaultyProxy.Fault.ERROR, "DELETE", Integer.MAX_VALUE);

    Blobs.publish(store, SMALL);

    assertThat(Blobs.read(store, digest)).isEqualTo(SMALL);
    assertThat(fixture.count()).isEqualTo(2);
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "SILENCE", "CUT_ANSWER", "LOST_ANSWER"})
  void readContinuesAfterAFaultThatPasses(FaultyProxy.Fault fault) throws IOException {
    Sha256 digest = Blobs.publish(store, SMALL);
    proxy.plan(fault, GET, 1);

    assertThat(Blobs.read(store, digest)).isEqualTo(SMALL);
  }

  @ParameterizedTest
  @EnumSource(names = {"ERROR", "CUT_ANSWER"})
  void readThatNeverSucceedsFailsInsteadOfEndingEarly(FaultyProxy.Fault fault) throws IOException {
    Sha256 digest = Blobs.publish(store, SMALL);
    BlobStore.Blob blob = store.find(digest).orElseThrow();
    proxy.plan(fault, "GET .*sha256/[0-9a-f]{64}/2", Integer.MAX_VALUE);

    assertThatIOException()
        .isThrownBy(() -> blob.open(99_999, 1).readAllBytes())
        .withMessageContaining("cannot read");
  }

  @Test
  void byteFlippedOnTheWayIsNoticed() throws IOException {
    Sha256 digest = Blobs.publish(store, SMALL);
    proxy.plan(FaultyProxy.Fault.FLIPPED_BYTE, "GET .*sha256/[0-9a-f]{64}/2", 1);

    assertThatIOException()
        .isThrownBy(() -> Blobs.read(store, digest))
        .withMessageContaining("checksum");
    assertThat(Blobs.read(store, digest)).isEqualTo(SMALL);
  }

  @Test
  void scrubReportsABlobThatNeverHasItsChecksumAndContinues() throws IOException {
    Set<Sha256> all = new TreeSet<>();
    for (int i = 1; i <= 3; i++) {
      all.add(Blobs.publish(store, bytes(i)));
    }
    Sha256 second = List.copyOf(all).get(1);
    proxy.plan(
        FaultyProxy.Fault.FLIPPED_BYTE, "GET .*sha256/" + second.hex() + "/2", Integer.MAX_VALUE);

    ScrubReport report = new Scrub(store, List.of()).run();

    assertThat(report.corrupt()).containsExactly(second);
    assertThat(report.checked()).isEqualTo(3);
  }

  @Test
  void scrubReadsABlobAgainWhoseByteWasFlippedOnTheWay() throws IOException {
    Blobs.publish(store, SMALL);
    proxy.plan(FaultyProxy.Fault.FLIPPED_BYTE, "GET .*sha256/[0-9a-f]{64}/2", 2);

    assertThat(new Scrub(store, List.of()).run().corrupt()).isEmpty();
  }

  @Test
  void scrubDoesNotTakeABlobThatCannotBeReadForDamaged() throws IOException {
    Blobs.publish(store, SMALL);
    proxy.plan(FaultyProxy.Fault.CUT_ANSWER, "GET .*sha256/[0-9a-f]{64}/2", Integer.MAX_VALUE);

    assertThatIOException()
        .isThrownBy(() -> new Scrub(store, List.of()).run())
        .withMessageContaining("cannot read blob");
  }

  @Test
  void readFollowsABlobThatIsReplacedTwice() throws Exception {
    Sha256 digest = Blobs.publish(store, SMALL);
    BlobStore.Blob found = store.find(digest).orElseThrow();
    Blobs.publish(store, SMALL);
    String second =
        "GET .*" + proxy.requests(PUT).getLast().replaceFirst(".*(sha256/[^ ?]+).*", "$1");
    proxy.plan(FaultyProxy.Fault.HELD, second, 1);
    try (ExecutorService reader = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<byte[]> bytes =
          reader.submit(
              () -> {
                try (InputStream in = found.open(0, found.size())) {
                  return in.readAllBytes();
                }
              });
      Await.until(() -> !proxy.requests(second).isEmpty());
      Blobs.publish(store, SMALL);
      proxy.recover();

      assertThat(bytes.get()).isEqualTo(SMALL);
    }
  }

  @Test
  void listAndCheckFailIfS3Does() throws IOException {
    proxy.plan(FaultyProxy.Fault.ERROR, ".", Integer.MAX_VALUE);

    assertThatIOException().isThrownBy(store::list).withMessageContaining("status 500");
    assertThatIOException().isThrownBy(store::check).withMessageContaining("status 500");
    assertThatIOException()
        .isThrownBy(() -> store.find(Sha256.hash(SMALL)))
        .withMessageContaining("cannot list");
  }
}
