package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged blobs in S3, which metrics and probes count every few seconds. */
class KnownDamageTest {
  private final MeterRegistry meters = new SimpleMeterRegistry();

  @TempDir private Path root;
  private FaultyProxy proxy;
  private S3Fixture fixture;
  private BlobStore store;
  private BlobReader reader;

  @BeforeEach
  void open() throws IOException {
    proxy = new FaultyProxy(S3Server.shared().endpoint());
    fixture = S3Fixture.create(root, proxy.endpoint());
    store = fixture.open(Clock.systemUTC());
    reader = new BlobReader(store, meters);
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
  }

  private double count() {
    return meters.get("nola.blobs.damaged").gauge().value();
  }

  @Test
  void damagedBlobsAreCountedWithoutARequest() throws IOException {
    List<Sha256> damaged = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      damaged.add(Blobs.publish(store, Blobs.utf8("damaged " + i)));
      fixture.damage(damaged.getLast(), Blobs.utf8("other"));
    }
    damaged.add(Sha256.hash(Blobs.utf8("missing")));
    reader.note(damaged);
    int before = proxy.requests(".").size();

    assertThat(count()).isEqualTo(4);
    assertThat(reader.damaged()).containsExactlyElementsOf(damaged.stream().sorted().toList());
    assertThat(proxy.requests(".")).hasSize(before);
  }

  @Test
  void repairedBlobIsForgottenOnceItWasRead_orAtItsTurnToBeLookedFor() throws IOException {
    Sha256 read = Blobs.publish(store, Blobs.utf8("read"));
    Sha256 unread = Blobs.publish(store, Blobs.utf8("unread"));
    Sha256 missing = Sha256.hash(Blobs.utf8("missing"));
    fixture.damage(read, Blobs.utf8("other"));
    fixture.damage(unread, Blobs.utf8("other"));
    reader.note(List.of(read, unread, missing));
    Blobs.publish(store, Blobs.utf8("read"));
    Blobs.publish(store, Blobs.utf8("unread"));

    reader.get(read);
    assertThat(reader.damaged()).containsExactlyInAnyOrder(unread, missing);
    reader.recheck();
    assertThat(reader.damaged()).containsExactly(missing);
    assertThat(count()).isEqualTo(1);
  }

  @Test
  void manyDamagedBlobsAreLookedForSomeAtATime() throws IOException {
    List<Sha256> all = new ArrayList<>();
    for (int i = 0; i < BlobReader.RECHECKED + 5; i++) {
      all.add(Sha256.hash(Blobs.utf8("blob " + i)));
    }
    reader.note(all);
    for (int i = 0; i < all.size(); i++) {
      Blobs.publish(store, Blobs.utf8("blob " + i));
    }

    reader.recheck();
    assertThat(reader.damaged()).hasSize(5);
    reader.recheck();
    assertThat(reader.damaged()).isEmpty();
  }
}
