package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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

  @Test
  void missingBlobsAreFoundAmongThoseOfAllUsers() throws IOException {
    List<Sha256> present = new ArrayList<>();
    List<Sha256> absent = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      present.add(Blobs.publish(store, Blobs.utf8("present " + i)));
      absent.add(Sha256.hash(Blobs.utf8("absent " + i)));
    }
    List<BlobUser> users =
        List.of(
            new User(List.of()),
            new User(present),
            new User(Stream.concat(present.stream(), absent.stream().limit(5)).toList()),
            new User(absent));

    ScrubReport report = new Scrub(store, users).run();

    assertThat(report.missing()).containsExactlyInAnyOrderElementsOf(absent);
    assertThat(report.checked()).isEqualTo(10);
    assertThat(report.corrupt()).isEmpty();
  }

  /** References in memory, in pages of two. */
  private record User(List<Sha256> digests) implements BlobUser {
    @Override
    public boolean refersTo(Sha256 digest) {
      return digests.contains(digest);
    }

    @Override
    public long sizeOfNamespace(long namespaceId) {
      return 0;
    }

    @Override
    public Map<Long, Long> sizesOfNamespaces() {
      return Map.of();
    }

    @Override
    public List<Sha256> references(String last, int limit) {
      return digests.stream()
          .sorted()
          .filter(digest -> digest.toString().compareTo(last) > 0)
          .limit(2)
          .toList();
    }
  }
}
