package dev.nola.client.registry;

import static dev.nola.client.registry.StubRegistry.cutFile;
import static dev.nola.client.registry.StubRegistry.file;
import static dev.nola.client.registry.StubRegistry.setHeaders;
import static dev.nola.client.registry.StubRegistry.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.KnownReference;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.StubRegistry.Answer;
import dev.nola.client.registry.StubRegistry.Seen;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which bytes reach the caller, and from where. */
class PullTest {
  private static final Reference LATEST = Reference.parse("acme/mood");
  private static final Reference EXACT = Reference.parse("acme/mood@1.0.0");
  private static final int LIMIT = 1 << 20;

  private final byte[] bytes = bytes(1, 100_000);
  private final Sha256 digest = Sha256.hash(bytes);
  private final List<Duration> pauses = new ArrayList<>();

  @TempDir private Path folder = Path.of("");
  private StubRegistry registry;
  private NolaClient client;

  @BeforeEach
  void start() throws IOException {
    registry = new StubRegistry();
    client = builder().build();
  }

  @AfterEach
  void stop() {
    client.close();
    registry.close();
  }

  private NolaClient.Builder builder() {
    return NolaClient.builder(registry.url())
        .cache(LocalCache.at(folder.resolve("cache")))
        .maxFileSize(LIMIT)
        .pause(
            pause -> {
              pauses.add(pause);
              return Duration.ZERO;
            });
  }

  private static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private List<Path> kept(String part) throws IOException {
    Path kept = folder.resolve("cache").resolve(part);
    if (!Files.exists(kept)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(kept)) {
      return files.toList();
    }
  }

  private void assertRefused(Reference reference, String message) throws IOException {
    RegistryException refused =
        catchThrowableOfType(RegistryException.class, () -> client.pull(reference, Progress.NONE));
    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    assertThat(refused).hasMessageContaining(message);
    assertThat(kept("blobs")).isEmpty();
    assertThat(kept("partial")).isEmpty();
    assertThat(kept("references")).isEmpty();
  }

  /** A file under any headers. */
  private static Answer body(byte[] bytes, String... headers) {
    return exchange -> {
      setHeaders(exchange, headers);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  private String etag() {
    return '"' + digest.toString() + '"';
  }

  @Test
  void pinnedReferenceIsDownloadedOnceAndAskedForWhetherItIsYanked() throws Exception {
    registry.answers(
        file(bytes, "1.0.0"),
        body(
            bytes, "ETag", etag(), "Nola-Version", "1.0.0", "Nola-Warning", "yanked: bad%20split"));
    List<Long> done = new ArrayList<>();

    Pulled first = client.pull(EXACT, (now, total) -> done.add(now));
    Pulled second = client.pull(EXACT, Progress.NONE);

    assertThat(registry.seen()).hasSize(2);
    assertThat(registry.seen().getLast().header("If-None-Match")).isEqualTo(etag());
    assertThat(first.fromCache()).isFalse();
    assertThat(first.yanked()).isNull();
    assertThat(second.fromCache()).isTrue();
    assertThat(second.yanked()).isEqualTo("bad split");
    assertThat(done).startsWith(0L).endsWith((long) bytes.length).isSorted();
  }

  @Test
  void pinnedReferenceNeedsNoRegistryOnceItWasPulled() throws Exception {
    registry.answers(
        file(bytes, "1.0.0"),
        exchange -> {
          exchange.sendResponseHeaders(503, -1);
          exchange.close();
        });
    client.pull(EXACT, Progress.NONE);

    Pulled pinned = client.pull(EXACT, Progress.NONE);
    Pulled byDigest = client.pull(Reference.parse("acme/mood@" + digest), Progress.NONE);

    assertThat(pinned.fromCache()).isTrue();
    assertThat(byDigest.path()).hasBinaryContent(bytes);
    assertThat(byDigest.version()).isEqualTo("1.0.0");
    assertThat(
            catchThrowableOfType(RegistryException.class, () -> client.pull(LATEST, Progress.NONE))
                .kind())
        .isEqualTo(Kind.UNAVAILABLE);
  }

  @Test
  void movableReferenceIsAskedForEachTimeAndDownloadedOnce() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    client.pull(LATEST, Progress.NONE);

    assertThat(client.pull(LATEST, Progress.NONE).fromCache()).isTrue();

    assertThat(registry.seen()).hasSize(2);
    assertThat(registry.seen().getLast().header("If-None-Match")).isEqualTo(etag());
  }

  @Test
  void versionThatOnlyTheRegistryKnowsCanHaveBytesThatTheCacheHas() throws Exception {
    registry.answers(file(bytes, "1.0.0"), file(bytes, "1.1.0"));
    client.pull(EXACT, Progress.NONE);

    Pulled other = client.pull(Reference.parse("acme/mood@1.1.0"), Progress.NONE);

    assertThat(other.fromCache()).isTrue();
    assertThat(other.version()).isEqualTo("1.1.0");
    assertThat(client.cache().list()).hasSize(1);
  }

  @Test
  void digestCanComeAsReprDigest() throws Exception {
    String header = "sha-256=:" + Base64.getEncoder().encodeToString(digest.toBytes()) + ":";
    registry.answers(
        body(bytes, "Repr-Digest", header, "ETag", "W/\"x\"", "Nola-Version", "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).digest()).isEqualTo(digest);
  }

  @Test
  void fileOfAStoreIsDescribedByTheRegistryThatRedirectsThere() throws Exception {
    String header = "sha-256=:" + Base64.getEncoder().encodeToString(digest.toBytes()) + ":";
    try (StubRegistry store =
            new StubRegistry(body(bytes, "ETag", "\"md5-of-the-store\"", "Nola-Version", "6.6.6"));
        NolaClient withToken = builder().token("secret").build()) {
      registry.answers(
          StubRegistry.text(
              307,
              "",
              "Location",
              store.url() + "/bucket/key?signature=x",
              "Repr-Digest",
              header,
              "Nola-Version",
              "1.0.0",
              "Nola-Warning",
              "yanked: bad"));

      Pulled pulled = withToken.pull(LATEST, Progress.NONE);

      assertThat(pulled.digest()).isEqualTo(digest);
      assertThat(pulled.version()).isEqualTo("1.0.0");
      assertThat(pulled.path()).hasBinaryContent(bytes);
      assertThat(registry.seen().getFirst().header("Authorization")).isEqualTo("Bearer secret");
      assertThat(store.seen()).hasSize(1);
      assertThat(store.seen().getFirst().header("Authorization")).isNull();
    }
  }

  @Test
  void damagedFileInTheCacheIsDownloadedAgain() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    Path path = client.pull(EXACT, Progress.NONE).path();
    byte[] damaged = bytes.clone();
    damaged[5] ^= 1;
    Files.write(path, damaged);

    Pulled again = client.pull(EXACT, Progress.NONE);

    assertThat(again.fromCache()).isFalse();
    assertThat(again.path()).hasBinaryContent(bytes);
  }

  @Test
  void otherBytesThanNamedAreRefused() throws Exception {
    byte[] damaged = bytes.clone();
    damaged[99] ^= 1;
    registry.answers(body(damaged, "ETag", etag(), "Nola-Version", "1.0.0"));

    assertRefused(LATEST, "do not match the stated digest");
    assertThat(registry.seen()).hasSize(1); // again would be no better
  }

  @Test
  void otherFileThanThePinnedOneIsRefused() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    assertRefused(
        Reference.parse("acme/mood@sha256:" + "0".repeat(64)), "offered a file with digest");
    assertRefused(Reference.parse("acme/mood@2.0.0"), "offered version 1.0.0 for");
  }

  @Test
  void answersThatDoNotSayWhatTheyBringAreRefused() throws Exception {
    registry.answers(body(bytes, "Nola-Version", "1.0.0"));
    assertRefused(LATEST, "did not state the digest");
    registry.answers(body(bytes, "ETag", "\"sha256:zz\"", "Nola-Version", "1.0.0"));
    assertRefused(LATEST, "did not state the digest");
    registry.answers(body(bytes, "ETag", etag()));
    assertRefused(LATEST, "offered version null for");
    registry.answers(body(bytes, "ETag", etag(), "Nola-Version", "../../1"));
    assertRefused(LATEST, "offered version null for");
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(304, -1);
        });
    assertRefused(LATEST, "as unchanged");
  }

  @Test
  void fileThatIsTooLargeIsRefusedBeforeItComes() throws Exception {
    byte[] large = bytes(2, LIMIT + 1);
    registry.answers(file(large, "1.0.0"));
    assertRefused(LATEST, "offered a file of at least 1048577 bytes; limit is 1048576");
  }

  @Test
  void endlessFileEnds() throws Exception {
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(200, 0); // chunks, for ever
          while (true) {
            exchange.getResponseBody().write(bytes);
          }
        });
    assertRefused(LATEST, "limit is 1048576");
  }

  @Test
  void fileThatDrips_endsAsUnavailable() throws Exception {
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(200, bytes.length);
          for (byte each : bytes) {
            exchange.getResponseBody().write(each);
            exchange.getResponseBody().flush();
            pause();
          }
        });
    try (NolaClient impatient = builder().minimumRate(1_000, Duration.ofMillis(500)).build()) {
      RegistryException slow =
          catchThrowableOfType(
              RegistryException.class, () -> impatient.pull(LATEST, Progress.NONE));

      assertThat(slow.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(slow)
          .hasMessageContaining("the registry sends too slowly: ")
          .hasMessageContaining("bytes in 0.5 seconds; the minimum is 1000 bytes a second");
      assertThat(registry.seen()).hasSize(1);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void fileThatComesInBurstsAtTheMinimumRate_isTaken() throws Exception {
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(200, bytes.length);
          for (int offset = 0; offset < bytes.length; offset += 10_000) {
            exchange.getResponseBody().write(bytes, offset, 10_000);
            exchange.getResponseBody().flush();
            pause();
            pause();
          }
        });
    try (NolaClient impatient = builder().minimumRate(1_000, Duration.ofMillis(100)).build()) {
      assertThat(impatient.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
    }
  }

  @Test
  void changedVersion_isRefusedByEveryReferenceThatMeansIt() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    client.pull(EXACT, Progress.NONE);
    byte[] other = bytes(2, 50_000);
    registry.answers(file(other, "1.0.0"));

    for (Reference reference : List.of(EXACT, LATEST, Reference.parse("acme/mood@prod"))) {
      RegistryException changed =
          catchThrowableOfType(
              RegistryException.class, () -> client.pull(reference, Progress.NONE));
      assertThat(changed.kind()).isEqualTo(Kind.BROKEN);
      assertThat(changed)
          .hasMessageContaining("changed acme/mood@1.0.0, which no registry may")
          .hasMessageContaining(digest.toString())
          .hasMessageContaining(Sha256.hash(other).toString());
    }
    assertThat(client.cache().list()).hasSize(1);

    client.cache().remove(digest);
    assertThat(client.pull(EXACT, Progress.NONE).path()).hasBinaryContent(other);
  }

  @Test
  void fileWithoutALengthIsTaken() throws Exception {
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(bytes);
        });

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
  }

  @Test
  void cutFileGoesOnWhereItEnded() throws Exception {
    registry.answers(cutFile(bytes, "1.0.0", 60_000), file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);

    Seen rest = registry.seen().getLast();
    // By number: latest may mean another version by now.
    assertThat(rest).hasToString("GET /api/v1/adapters/acme/mood/versions/1.0.0/file");
    assertThat(rest.header("Range")).matches("bytes=[1-9]\\d*-");
    assertThat(rest.header("If-Range")).isEqualTo(etag());
    assertThat(pauses).hasSize(1);
  }

  @Test
  void cutFileIsKeptForAnotherRun() throws Exception {
    registry.answers(cutFile(bytes, "1.0.0", 60_000));
    try (NolaClient once = builder().retries(0).build()) {
      RegistryException cut =
          catchThrowableOfType(RegistryException.class, () -> once.pull(LATEST, Progress.NONE));
      assertThat(cut.kind()).isEqualTo(Kind.UNAVAILABLE);
    }
    assertThat(kept("partial")).hasSize(1);
    assertThat(client.cache().list()).isEmpty();
    registry.answers(file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);

    assertThat(registry.seen()).hasSize(2);
    assertThat(registry.seen().getLast().header("Range")).isNotNull();
    assertThat(kept("partial")).isEmpty();
    assertThat(kept("begun")).isEmpty();
  }

  @Test
  void beginningOfAnotherFileIsOfNoUse() throws Exception {
    registry.answers(cutFile(bytes, "1.0.0", 60_000));
    try (NolaClient once = builder().retries(0).build()) {
      catchThrowableOfType(RegistryException.class, () -> once.pull(LATEST, Progress.NONE));
    }
    byte[] other = bytes(2, 50_000);
    registry.answers(file(other, "1.1.0"));

    Pulled pulled = client.pull(LATEST, Progress.NONE);

    assertThat(pulled.path()).hasBinaryContent(other);
    assertThat(pulled.version()).isEqualTo("1.1.0");
  }

  @Test
  void registryWithoutRangesSendsAllAgain() throws Exception {
    registry.answers(
        cutFile(bytes, "1.0.0", 60_000), body(bytes, "ETag", etag(), "Nola-Version", "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
  }

  @Test
  void gatewayThatSendsTheRestAsTheWhole_isAskedForAllAgain() throws Exception {
    byte[] rest = Arrays.copyOfRange(bytes, 60_000, bytes.length);
    registry.answers(
        cutFile(bytes, "1.0.0", 60_000),
        body(rest, "ETag", etag(), "Nola-Version", "1.0.0", "Content-Range", "bytes 60000-"),
        file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
    assertThat(registry.seen()).hasSize(3);
    assertThat(registry.seen().getLast().header("Range")).isNull();
  }

  @Test
  void compressedFile_isRefusedByItsEncoding() throws Exception {
    registry.answers(
        body(bytes, "ETag", etag(), "Nola-Version", "1.0.0", "Content-Encoding", "gzip"));

    assertRefused(
        LATEST,
        "with Content-Encoding gzip; the proxy or gateway in front of it must not compress");
    assertThat(registry.seen().getLast().header("Accept-Encoding")).isEqualTo("identity");
  }

  @Test
  void damagedBeginningIsDownloadedAgain() throws Exception {
    Path partial = client.cache().files().partial(digest);
    Files.write(partial, new byte[5_000]);
    registry.answers(file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);

    Files.write(partial, new byte[bytes.length + 5]);
    client.cache().remove(digest);
    Files.write(partial, new byte[bytes.length + 5]);
    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
  }

  @Test
  void wholeFileThatWasNotYetKeptNeedsNoByte() throws Exception {
    Files.write(client.cache().files().partial(digest), bytes);
    client
        .cache()
        .references()
        .begin(new KnownReference(client.registry(), LATEST, "1.0.0", digest, null, false));
    registry.answers(text(416, ""), file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
    assertThat(registry.seen()).hasSize(2);
  }

  @Test
  void registryThatSendsLessThanAskedIsAskedForTheRest() throws Exception {
    registry.answers(
        cutFile(bytes, "1.0.0", 60_000),
        exchange -> {
          String range = String.valueOf(exchange.getRequestHeaders().getFirst("Range"));
          int start = Integer.parseInt(range.replaceAll("\\D", ""));
          setHeaders(
              exchange,
              "ETag",
              etag(),
              "Nola-Version",
              "1.0.0",
              "Content-Range",
              "bytes %d-%d/%d".formatted(start, start + 9, bytes.length));
          exchange.sendResponseHeaders(206, 10);
          exchange.getResponseBody().write(bytes, start, 10);
        },
        file(bytes, "1.0.0"));

    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
    assertThat(registry.seen()).hasSize(3);
  }

  @Test
  void wrongPartOfAFileIsRefused() throws Exception {
    String[] ranges = {"bytes 5-99999/100000", "bytes x", "bytes 60000-99999/99999999", ""};
    for (String range : ranges) {
      registry.answers(
          cutFile(bytes, "1.0.0", 60_000),
          exchange -> {
            setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0", "Content-Range", range);
            exchange.sendResponseHeaders(206, 10);
            exchange.getResponseBody().write(bytes, 0, 10);
          });
      RegistryException refused =
          catchThrowableOfType(RegistryException.class, () -> client.pull(LATEST, Progress.NONE));
      assertThat(refused.kind()).as(range).isEqualTo(Kind.BROKEN);
      assertThat(kept("blobs")).isEmpty();
      client.cache().clear();
    }
  }

  @Test
  void registryThatChangesItsMindIsRefused() throws Exception {
    registry.answers(cutFile(bytes, "1.0.0", 60_000), file(bytes(3, 70_000), "1.0.0"));

    RegistryException refused =
        catchThrowableOfType(RegistryException.class, () -> client.pull(LATEST, Progress.NONE));

    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    assertThat(refused).hasMessageContaining("but stated " + digest + " before");
    assertThat(kept("blobs")).isEmpty();
  }

  @Test
  void registryThatAlwaysCutsIsGivenUp() throws Exception {
    registry.answers(cutFile(bytes, "1.0.0", 0));

    RegistryException refused =
        catchThrowableOfType(RegistryException.class, () -> client.pull(LATEST, Progress.NONE));

    assertThat(refused.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(registry.seen()).hasSizeBetween(4, 16); // the JDK's client tries again, too
  }

  @Test
  void interruptedPullLeavesWhatCanGoOn() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    registry.answers(
        exchange -> {
          setHeaders(exchange, "ETag", etag(), "Nola-Version", "1.0.0");
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes, 0, 60_000);
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        });
    AtomicReference<Throwable> ended = new AtomicReference<>();
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    client.pull(
                        LATEST,
                        (done, _) -> {
                          if (done > 0) {
                            begun.countDown();
                          }
                        });
                  } catch (Throwable t) {
                    ended.set(t);
                  }
                });
    begun.await();

    caller.interrupt();

    caller.join();
    end.countDown();
    assertThat(ended.get()).isInstanceOf(InterruptedException.class);
    assertThat(kept("blobs")).isEmpty();
    registry.answers(file(bytes, "1.0.0"));
    assertThat(client.pull(LATEST, Progress.NONE).path()).hasBinaryContent(bytes);
    assertThat(registry.seen().getLast().header("Range")).isNotNull();
  }

  @Test
  void pullOfAnInterruptedThreadDoesNotBegin() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    client.pull(LATEST, Progress.NONE);
    for (Reference reference : List.of(LATEST, EXACT, Reference.parse("acme/mood@^1"))) {
      Thread.currentThread().interrupt();
      Throwable ended = null;
      try {
        client.pull(reference, Progress.NONE);
      } catch (Throwable t) {
        ended = t;
      }
      assertThat(ended).as(reference.toString()).isInstanceOf(InterruptedException.class);
      assertThat(Thread.interrupted()).isFalse();
    }
  }

  @Test
  void manyThreadsDownloadOnce() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        NolaClient second = builder().build()) {
      List<Callable<Pulled>> pulls = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        NolaClient one = i % 2 == 0 ? client : second;
        pulls.add(() -> one.pull(LATEST, Progress.NONE));
      }
      int downloads = 0;
      for (Future<Pulled> pulled : threads.invokeAll(pulls)) {
        assertThat(pulled.get().path()).hasBinaryContent(bytes);
        downloads += pulled.get().fromCache() ? 0 : 1;
      }
      assertThat(downloads).isEqualTo(1);
    }
  }

  @Test
  void fullDiskIsNotTheRegistrysFault() throws Exception {
    Path partial = client.cache().files().partial(digest);
    Files.createSymbolicLink(partial, Path.of("/dev/full"));
    registry.answers(file(bytes, "1.0.0"));

    IOException full =
        catchThrowableOfType(IOException.class, () -> client.pull(LATEST, Progress.NONE));

    assertThat(full)
        .isNotInstanceOf(RegistryException.class)
        .hasMessageStartingWith(partial + " cannot be written: No space left on device");
    assertThat(registry.seen()).hasSize(1);
  }

  @Test
  void yankReasonIsReadAsItWasWritten() throws Exception {
    String[][] cases = {
      {"yanked: 100%25%20wrong%2B%CE%B1", "100% wrong+α"},
      {"yanked: 100% wrong", "100% wrong"},
      {"yanked: a%1B%5B2Jb", "a [2Jb"},
    };
    for (String[] each : cases) {
      registry.answers(
          body(bytes, "ETag", etag(), "Nola-Version", "1.0.0", "Nola-Warning", each[0]));
      assertThat(client.pull(LATEST, Progress.NONE).yanked()).isEqualTo(each[1]);
    }
    // And remembered.
    assertThat(client.pull(EXACT, Progress.NONE).yanked()).isEqualTo("a [2Jb");
  }

  @Test
  void anotherRegistrysFilesAreNotThisOnes() throws Exception {
    registry.answers(file(bytes, "1.0.0"));
    client.pull(EXACT, Progress.NONE);
    byte[] other = bytes(2, 10);
    try (StubRegistry second = new StubRegistry(file(other, "1.0.0"));
        NolaClient otherClient = NolaClient.builder(second.url()).cache(client.cache()).build()) {
      assertThat(otherClient.pull(EXACT, Progress.NONE).path()).hasBinaryContent(other);
      assertThat(client.pull(EXACT, Progress.NONE).path()).hasBinaryContent(bytes);
      assertThat(client.cache().list()).hasSize(2);
    }
  }

  @Test
  void fileThatCannotBePublishedIsNotSent() throws Exception {
    Path empty = Files.createFile(folder.resolve("empty.nola"));
    Path large = Files.write(folder.resolve("large.nola"), new byte[LIMIT + 1]);
    AdapterName mood = new AdapterName("acme", "mood");
    for (Path file : Arrays.asList(empty, large)) {
      IOException refused =
          catchThrowableOfType(
              IOException.class,
              () -> client.adapters().publish(mood, "1.0.0", file, Progress.NONE));
      assertThat(refused)
          .hasMessage("%s has %d bytes; must have 1 to 1048576", file, Files.size(file));
    }
    assertThat(registry.seen()).isEmpty();
  }
}
