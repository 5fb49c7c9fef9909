package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.digest.Sha256;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Downloads that are interrupted, shared or damaged between the registry's store and the caller.
 */
class DownloadTest {
  private static final int SIZE = 8 << 20;
  private static final int CUT = 3 << 20;

  /** Larger than a few response headers and socket buffers together. */
  private static final int SLACK = 64 << 10;

  private final Registry registry = Registry.shared();
  private final String namespace = Registry.freshName();
  private final Reference reference = Reference.parse(namespace + "/mood@1.0.0");

  @TempDir private Path folder = Path.of("");
  private Path file = Path.of("");

  @BeforeEach
  void publish() throws Exception {
    file = Samples.large(folder, namespace.hashCode(), SIZE);
    try (NolaClient owner = registry.owner(namespace, folder.resolve("unused"))) {
      owner.adapters().publish(new AdapterName(namespace, "mood"), "1.0.0", file, Progress.NONE);
    }
  }

  private NolaClient.Builder client(CuttingProxy proxy) {
    return NolaClient.builder(proxy.url()).cache(LocalCache.at(folder.resolve("cache")));
  }

  private List<Path> cached(String part) throws Exception {
    Path cached = folder.resolve("cache").resolve(part);
    if (!Files.exists(cached)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(cached)) {
      return files.toList();
    }
  }

  @Test
  void interruptedDownloadResumesWhereItEnded() throws Exception {
    try (CuttingProxy proxy = CuttingProxy.to(registry.port())) {
      proxy.cutOnceAfter(CUT);
      try (NolaClient client = client(proxy).retries(0).build()) {
        RegistryException cut =
            catchThrowableOfType(
                RegistryException.class, () -> client.pull(reference, Progress.NONE));
        assertThat(cut.kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(cached("blobs")).isEmpty();
      }
      long before = proxy.fromServer();
      assertThat(before).isGreaterThan(CUT);
      List<Long> done = new ArrayList<>();
      try (NolaClient client = client(proxy).build()) {
        Pulled pulled = client.pull(reference, (now, _) -> done.add(now));

        assertThat(pulled.path()).hasSameBinaryContentAs(file);
        assertThat(pulled.fromCache()).isFalse();
      }
      assertThat(done.getFirst()).isGreaterThan(CUT - SLACK);
      assertThat(proxy.fromServer() - before)
          .isBetween((long) SIZE - CUT, (long) SIZE - CUT + SLACK);
      assertThat(cached("partial")).isEmpty();
    }
  }

  @Test
  void interruptionWithinOnePullIsNotNoticed() throws Exception {
    try (CuttingProxy proxy = CuttingProxy.to(registry.port());
        NolaClient client = client(proxy).build()) {
      proxy.cutOnceAfter(CUT);

      Pulled pulled = client.pull(reference, Progress.NONE);

      assertThat(pulled.path()).hasSameBinaryContentAs(file);
      assertThat(proxy.fromServer()).isBetween((long) SIZE, (long) SIZE + SLACK);
    }
  }

  @Test
  void downloadOfAKilledProcessResumesInAnother() throws Exception {
    Path cache = folder.resolve("cache");
    try (CuttingProxy proxy = CuttingProxy.to(registry.port())) {
      proxy.pauseAfter(CUT);
      try (PullProcess process = PullProcess.start(proxy.url(), cache, reference)) {
        process.pull();
        process.awaitFirstBytes();
        process.kill();
      }
      assertThat(cached("blobs")).isEmpty();
      assertThat(cached("partial")).hasSize(1);
      proxy.resume();
      try (NolaClient client = client(proxy).build()) {
        List<Long> done = new ArrayList<>();
        assertThat(client.pull(reference, (now, _) -> done.add(now)).path())
            .hasSameBinaryContentAs(file);
        assertThat(done.getFirst()).isPositive();
      }
    }
  }

  @Test
  void twoProcessesDownloadTheSameBlobOnce() throws Exception {
    Path cache = folder.resolve("cache");
    Sha256 digest = Sha256.hash(Files.readAllBytes(file));
    try (CuttingProxy proxy = CuttingProxy.to(registry.port())) {
      proxy.pauseAfter(CUT);
      try (PullProcess first = PullProcess.start(proxy.url(), cache, reference);
          PullProcess second = PullProcess.start(proxy.url(), cache, reference)) {
        first.pull();
        first.awaitFirstBytes();
        proxy.awaitConnection();
        second.pull(); // while the first has a part of the file
        proxy.awaitConnection();
        proxy.resume();

        assertThat(List.of(first.result(), second.result()))
            .containsExactlyInAnyOrder(digest + " downloaded", digest + " cached");
      }
    }
  }

  @Test
  void damagedBlobNeverReachesTheCaller() throws Exception {
    Sha256 digest = Sha256.hash(Files.readAllBytes(file));
    try (FileChannel blob = FileChannel.open(registry.blob(digest), StandardOpenOption.WRITE)) {
      blob.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), SIZE / 2);
    }
    try (CuttingProxy proxy = CuttingProxy.to(registry.port());
        NolaClient client = client(proxy).build()) {
      RegistryException damaged =
          catchThrowableOfType(
              RegistryException.class, () -> client.pull(reference, Progress.NONE));

      assertThat(damaged.status()).isEqualTo(500);
      assertThat(damaged.problem()).isNotNull();
      assertThat(damaged.problem().type()).isEqualTo("urn:nola:problem:damaged-blob");
      assertThat(cached("blobs")).isEmpty();
      assertThat(cached("partial")).isEmpty();
      assertThat(cached("references")).isEmpty();

      // Publishing the same bytes again repairs it.
      try (NolaClient owner = registry.owner(namespace, folder.resolve("unused"))) {
        owner.adapters().publish(new AdapterName(namespace, "mood"), "1.0.0", file, Progress.NONE);
      }
      assertThat(client.pull(reference, Progress.NONE).path()).hasSameBinaryContentAs(file);
    }
  }
}
