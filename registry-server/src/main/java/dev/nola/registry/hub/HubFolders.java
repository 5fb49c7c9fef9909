package dev.nola.registry.hub;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.VersionDeleted;
import dev.nola.registry.catalog.VersionPublished;
import dev.nola.registry.web.Refusal;
import jakarta.annotation.PreDestroy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionalEventListener;

/**
 * The folders of files. A folder is derived after its file is published, and kept; one that is
 * missing, such as that of a file published by an earlier version of the registry, is derived when
 * it is read.
 */
@Component
class HubFolders {
  private static final long CACHED_BYTES = 16L << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final HubFolderTable table;
  private final LoraMaker maker;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final AsyncCache<Sha256, HubFolder> known =
      Caffeine.newBuilder()
          .maximumWeight(CACHED_BYTES)
          .weigher((Sha256 _, HubFolder folder) -> folder.weight())
          .executor(executor)
          .buildAsync();

  HubFolders(HubFolderTable table, LoraMaker maker) {
    this.table = table;
    this.maker = maker;
  }

  /**
   * Returns a folder; of all that ask for it at a time, one derives it.
   *
   * @param account whose turn it takes to derive it
   * @param digest of the adapter's file
   * @return the folder
   * @throws Refusal with status 503 if too many files are being examined, 500 if the file is
   *     damaged
   * @throws IOException if the file cannot be read
   */
  HubFolder get(String account, Sha256 digest) throws IOException {
    try {
      return known.get(digest, key -> findOrDerive(account, key)).join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case UncheckedIOException failure -> throw failure.getCause();
        case RuntimeException failure -> throw failure;
        case null, default -> throw e;
      }
    }
  }

  private HubFolder findOrDerive(String account, Sha256 digest) {
    return table.find(digest).orElseGet(() -> derive(account, digest));
  }

  private HubFolder derive(String account, Sha256 digest) {
    try {
      HubFolder folder = maker.derive(account, digest);
      table.add(digest, folder);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Begins to derive the folder of a file, so that its first reader does not wait for it. A file
   * that the registry did not reconstruct itself has used up its account's time: it waits for a
   * reader.
   */
  @TransactionalEventListener
  void published(VersionPublished version) {
    if (version.selfVerified()) {
      known.get(
          Sha256.parse(version.digest()), key -> findOrDerive(version.adapter().namespace(), key));
    }
  }

  @EventListener
  @Transactional(propagation = Propagation.MANDATORY)
  void deleted(VersionDeleted version) {
    table.removeUnused(version.digest());
    known.synchronous().invalidate(Sha256.parse(version.digest()));
  }

  @PreDestroy
  void close() throws InterruptedException {
    executor.shutdownNow();
    executor.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }
}
