package dev.nola.client.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalCacheTest {
  private static final URI REGISTRY = URI.create("https://registry.example");

  @TempDir private Path folder = Path.of("");

  private LocalCache cache() {
    return LocalCache.at(folder.resolve("cache"));
  }

  /** Puts a file of so many bytes in, last used so long ago. */
  private Sha256 put(int seed, int size, Duration age, String... references) throws Exception {
    byte[] bytes = new byte[size];
    bytes[0] = (byte) seed;
    Sha256 digest = Sha256.hash(bytes);
    LocalCache cache = cache();
    try (ProcessLock _ = cache.files().lock(digest)) {
      Files.write(cache.files().partial(digest), bytes);
      Path kept = Objects.requireNonNull(cache.files().promote(digest));
      Files.setLastModifiedTime(kept, FileTime.from(Instant.now().minus(age)));
    }
    for (String reference : references) {
      cache
          .references()
          .remember(
              new KnownReference(
                  REGISTRY, Reference.parse(reference), "1.0.0", digest, null, false));
    }
    return digest;
  }

  @Test
  void emptyCacheIsNoError() throws Exception {
    assertThat(cache().list()).isEmpty();
    assertThat(cache().size()).isZero();
    assertThat(cache().clear()).isZero();
    assertThat(cache().verify().whole()).isZero();
    assertThat(cache().remove(Reference.parse("acme/mood"))).isFalse();
    assertThat(cache().path()).doesNotExist();
  }

  @Test
  void filesAreListedWithWhatTheyWerePulledAs() throws Exception {
    Sha256 old = put(1, 10, Duration.ofHours(2), "acme/mood@1.0.0", "acme/mood");
    Sha256 young = put(2, 20, Duration.ofHours(1));

    List<LocalCache.Entry> entries = cache().list();

    assertThat(entries).extracting(LocalCache.Entry::digest).containsExactly(young, old);
    assertThat(entries.getLast().names())
        .containsExactlyInAnyOrder(
            new LocalCache.Name(REGISTRY, Reference.parse("acme/mood"), "1.0.0"),
            new LocalCache.Name(REGISTRY, Reference.parse("acme/mood@1.0.0"), "1.0.0"));
    assertThat(entries.getLast().size()).isEqualTo(10);
    assertThat(cache().size()).isEqualTo(30);
  }

  @Test
  void leastRecentlyUsedGoFirst() throws Exception {
    Sha256 oldest = put(1, 100, Duration.ofHours(3), "acme/a");
    Sha256 used = put(2, 100, Duration.ofHours(2), "acme/b");
    Sha256 young = put(3, 100, Duration.ofHours(1), "acme/c");

    cache().withLimit(250).evict();

    assertThat(cache().list())
        .extracting(LocalCache.Entry::digest)
        .containsExactly(young, used)
        .doesNotContain(oldest);
    assertThat(cache().files().find(used)).isNotNull(); // which is a use
    cache().withLimit(100).evict();
    assertThat(cache().list()).extracting(LocalCache.Entry::digest).containsExactly(used);
  }

  @Test
  void cacheWithinItsLimitIsLeftAlone() throws Exception {
    put(1, 100, Duration.ofDays(300));

    cache().withLimit(100).evict();

    assertThat(cache().list()).hasSize(1);
  }

  @Test
  void whatIsInUseIsNotEvicted() throws Exception {
    put(1, 100, Duration.ofMinutes(4));
    Sha256 written = put(2, 100, Duration.ofHours(1));
    try (ProcessLock _ = cache().files().lock(written)) {
      cache().withLimit(0).evict();
    }
    assertThat(cache().list()).hasSize(2);

    cache().withLimit(0).evict();

    assertThat(cache().list()).hasSize(1);
  }

  @Test
  void cutDownloadsGoAsWell() throws Exception {
    Sha256 digest = Sha256.hash(new byte[1]);
    Path partial = cache().files().partial(digest);
    Files.write(partial, new byte[500]);
    assertThat(cache().size()).isEqualTo(500);
    cache().withLimit(100).evict();
    assertThat(partial).exists(); // just begun
    Files.setLastModifiedTime(partial, FileTime.from(Instant.now().minus(Duration.ofHours(1))));

    cache().withLimit(100).evict();

    assertThat(partial).doesNotExist();
  }

  @Test
  void clearRemovesAllButWhatIsBeingWritten() throws Exception {
    put(1, 100, Duration.ZERO, "acme/a");
    Sha256 written = put(2, 50, Duration.ZERO, "acme/b");
    try (ProcessLock _ = cache().files().lock(written)) {
      assertThat(cache().clear()).isEqualTo(100);
    }
    assertThat(cache().list()).extracting(LocalCache.Entry::digest).containsExactly(written);
    assertThat(cache().clear()).isEqualTo(50);
    assertThat(cache().size()).isZero();
  }

  @Test
  void oneCanBeRemovedByDigestOrReference() throws Exception {
    Sha256 a = put(1, 10, Duration.ZERO, "acme/a");
    put(2, 10, Duration.ZERO, "acme/b@1.0.0", "acme/b");

    assertThat(cache().remove(a)).isTrue();
    assertThat(cache().remove(a)).isFalse();
    assertThat(cache().remove(Reference.parse("acme/absent"))).isFalse();
    assertThat(cache().remove(Reference.parse("acme/b"))).isTrue();
    assertThat(cache().remove(Reference.parse("acme/b"))).isFalse();
    assertThat(cache().list()).isEmpty();
  }

  @Test
  void verifyFindsAndRemovesWhatIsDamaged() throws Exception {
    Sha256 whole = put(1, 10, Duration.ofHours(1));
    Sha256 damaged = put(2, 10, Duration.ofHours(1));
    Path path = cache().path().resolve("blobs/" + damaged.hex() + ".nola");
    Files.write(path, new byte[] {7});

    LocalCache.Check check = cache().verify();

    assertThat(check.whole()).isEqualTo(1);
    assertThat(check.damaged()).containsExactly(damaged);
    assertThat(cache().list()).extracting(LocalCache.Entry::digest).containsExactly(whole);
    // To be looked at is no use.
    assertThat(cache().list().getFirst().lastUsed())
        .isBefore(Instant.now().minus(Duration.ofMinutes(30)));
  }

  @Test
  void damagedFileIsNotHandedOut() throws Exception {
    Sha256 digest = put(1, 10, Duration.ZERO);
    Path path = Objects.requireNonNull(cache().files().find(digest));
    Files.write(path, new byte[10]);

    assertThat(cache().files().find(digest)).isNull();
    assertThat(path).doesNotExist();
  }

  @Test
  void strangeFilesAreLeftAlone() throws Exception {
    Sha256 digest = put(1, 10, Duration.ZERO, "acme/a");
    Path root = cache().path();
    Files.writeString(root.resolve("blobs/README"), "x");
    Files.writeString(root.resolve("references/x.json"), "{");
    Files.writeString(root.resolve("references/y.json"), "null");
    Files.writeString(root.resolve("references/z.json"), "{\"reference\": \"../..\"}");

    assertThat(cache().list()).extracting(LocalCache.Entry::digest).containsExactly(digest);
    assertThat(cache().clear()).isEqualTo(10);
    assertThat(root.resolve("blobs/README")).exists();
  }

  @Test
  void whatAKilledProcessLeftIsNotListedAndGoes() throws Exception {
    put(1, 10, Duration.ZERO, "acme/a");
    Path references = cache().path().resolve("references");
    Path note = references.resolve(Sha256.hash((REGISTRY + " acme/a").getBytes()).hex() + ".json");
    Path left = Files.copy(note, references.resolve(".left.tmp"));
    assertThat(cache().list().getFirst().names()).hasSize(1);
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(Duration.ofHours(1))));

    cache().verify();

    assertThat(left).doesNotExist();
    assertThat(note).exists();
  }

  @Test
  void noteOfAnotherReferenceIsNotBelieved() throws Exception {
    put(1, 10, Duration.ZERO, "acme/a");
    Reference other = Reference.parse("acme/b");
    put(2, 10, Duration.ZERO, "acme/b");
    Path references = cache().path().resolve("references");
    String a = Sha256.hash((REGISTRY + " acme/a").getBytes()).hex() + ".json";
    String b = Sha256.hash((REGISTRY + " acme/b").getBytes()).hex() + ".json";
    assertThat(cache().references().find(REGISTRY, other)).isNotNull();

    Files.write(references.resolve(b), Files.readAllBytes(references.resolve(a)));

    assertThat(cache().references().find(REGISTRY, other)).isNull();
  }

  @Test
  void folderIsItsOwnersAlone() throws Exception {
    put(1, 10, Duration.ZERO);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache().path())))
        .isEqualTo("rwx------");
  }

  @Test
  void limitIsNotNegative() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> cache().withLimit(-1))
        .withMessage("invalid cache limit: -1; must not be negative");
  }
}
