package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScrubTest {

  @TempDir private Path root;
  private StoreFixture fixture;
  private BlobStore store;

  /** Creates an empty place of blobs, with its uploads in a folder. */
  StoreFixture create(Path folder) {
    return new StoreFixture.Directory(folder);
  }

  @BeforeEach
  void openStore() throws IOException {
    fixture = create(root);
    store = fixture.open(new SettableClock());
  }

  @Test
  void emptyStoreHasNothingToCheck() throws IOException {
    ScrubReport report = new Scrub(store, List.of()).run();

    assertThat(report.checked()).isZero();
    assertThat(report.corrupt()).isEmpty();
  }

  @Test
  void flippedByteIsFound() throws IOException {
    Blobs.publish(store, Blobs.utf8("sound"));
    byte[] bytes = new byte[200_000];
    Sha256 flipped = Blobs.publish(store, bytes);
    bytes[150_000] ^= 1;
    fixture.damage(flipped, bytes);

    ScrubReport report = new Scrub(store, List.of()).run();

    assertThat(report.checked()).isEqualTo(2);
    assertThat(report.corrupt()).containsExactly(flipped);
  }

  @Test
  void missingEndIsFound() throws IOException {
    Sha256 cut = Blobs.publish(store, Blobs.utf8("hello"));
    fixture.damage(cut, Blobs.utf8("hel"));

    assertThat(new Scrub(store, List.of()).run().corrupt()).containsExactly(cut);
  }
}
