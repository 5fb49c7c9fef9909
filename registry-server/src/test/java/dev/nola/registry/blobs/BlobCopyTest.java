package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlobCopyTest {
  @TempDir private Path from;
  @TempDir private Path to;

  @Test
  void copyTakesWhatTheBucketLacksAndReportsDamage() throws IOException {
    StoreFixture folder = new StoreFixture.Directory(from);
    S3Fixture bucket = S3Fixture.create(to);
    BlobStore source = folder.open(Clock.systemUTC());
    BlobStore target = bucket.open(Clock.systemUTC());
    List<Sha256> blobs = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      blobs.add(Blobs.publish(source, Blobs.utf8("blob " + i)));
    }
    Sha256 damaged = Blobs.publish(source, Blobs.utf8("sound"));
    folder.damage(damaged, Blobs.utf8("noise"));
    Blobs.publish(target, Blobs.utf8("blob 0"));

    BlobCopy copy = new BlobCopy(source, target);
    assertThat(copy.run()).isEqualTo(new BlobCopy.Result(39, 9 * 6 + 30 * 7, 1, List.of(damaged)));
    blobs.add(Blobs.publish(source, Blobs.utf8("added since")));
    assertThat(copy.run()).isEqualTo(new BlobCopy.Result(1, 11, 40, List.of(damaged)));

    assertThat(Blobs.list(target))
        .extracting(BlobStore.Stored::digest)
        .containsExactlyInAnyOrderElementsOf(blobs);
    assertThat(Blobs.read(target, blobs.getLast())).isEqualTo(Blobs.utf8("added since"));
    assertThat(bucket.count()).isEqualTo(41);
  }

  @Test
  void copyReadsTheListOfTheBucketInsteadOfAskingForEachBlob() throws IOException {
    try (FaultyProxy proxy = new FaultyProxy(S3Server.shared().endpoint())) {
      BlobStore source = new StoreFixture.Directory(from).open(Clock.systemUTC());
      BlobStore target = S3Fixture.create(to, proxy.endpoint()).open(Clock.systemUTC());
      for (int i = 0; i < 5; i++) {
        Blobs.publish(source, Blobs.utf8("blob " + i));
        Blobs.publish(target, Blobs.utf8("blob " + i));
      }
      int before = proxy.requests(".").size();

      assertThat(new BlobCopy(source, target).run().present()).isEqualTo(5);

      assertThat(proxy.requests(".")).hasSize(before + 1);
    }
  }

  @Test
  void copyThatFailsNamesTheBlobAndCanBeRepeated() throws IOException {
    try (FaultyProxy proxy = new FaultyProxy(S3Server.shared().endpoint())) {
      BlobStore source = new StoreFixture.Directory(from).open(Clock.systemUTC());
      BlobStore target = S3Fixture.create(to, proxy.endpoint()).open(Clock.systemUTC());
      Sha256 blob = Blobs.publish(source, Blobs.utf8("hello"));
      proxy.plan(FaultyProxy.Fault.ERROR, "PUT", Integer.MAX_VALUE);

      BlobCopy copy = new BlobCopy(source, target);
      assertThatIOException()
          .isThrownBy(copy::run)
          .withMessageContaining("cannot copy blob " + blob);
      proxy.recover();

      assertThat(copy.run().copied()).isEqualTo(1);
    }
  }
}
