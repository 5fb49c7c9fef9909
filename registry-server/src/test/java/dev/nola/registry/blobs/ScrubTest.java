package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScrubTest {

  @TempDir private Path root;
  private BlobStore store;

  @BeforeEach
  void openStore() throws IOException {
    store = DirectoryBlobStore.open(root, new SettableClock());
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
    Sha256 flipped = Blobs.publish(store, new byte[200_000]);
    Path file = Blobs.fileOf(root, flipped);
    byte[] bytes = Files.readAllBytes(file);
    bytes[150_000] ^= 1;
    Files.write(file, bytes);

    ScrubReport report = new Scrub(store, List.of()).run();

    assertThat(report.checked()).isEqualTo(2);
    assertThat(report.corrupt()).containsExactly(flipped);
  }

  @Test
  void missingEndIsFound() throws IOException {
    Sha256 cut = Blobs.publish(store, Blobs.utf8("hello"));
    Files.writeString(Blobs.fileOf(root, cut), "hel");

    assertThat(new Scrub(store, List.of()).run().corrupt()).containsExactly(cut);
  }
}
