package dev.nola.trainer.worker;

import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Files of datasets and stored models by digest, which were checked when they were fetched. Jobs
 * get links to them, so removing the oldest does not affect a job that uses it.
 */
final class ObjectStore {
  private final Path folder;
  private final long maxBytes;
  private final WorkerClient client;
  private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

  /**
   * Opens the store, and deletes what a worker that was killed had begun to fetch.
   *
   * @param folder folder of the store, which is created if absent
   * @param maxBytes size of all files that are kept while nothing is being fetched, in bytes
   * @param client client for transfers
   * @throws IOException if the folder cannot be used
   */
  ObjectStore(Path folder, long maxBytes, WorkerClient client) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.maxBytes = maxBytes;
    this.client = client;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path part : files.filter(ObjectStore::isPart).toList()) {
        Files.deleteIfExists(part);
      }
    }
  }

  /**
   * Links all files of a revision into a new folder, fetching those that are not here.
   *
   * @param kind model or dataset
   * @param object the revision
   * @param destination folder to create
   * @throws IOException if a file cannot be fetched or linked
   * @throws InterruptedException if the thread is interrupted
   */
  void link(ObjectKind kind, ObjectDetails object, Path destination)
      throws IOException, InterruptedException {
    Files.createDirectories(destination);
    for (ObjectManifest.Entry entry : object.files()) {
      Path file = destination.resolve(entry.path()).normalize();
      if (!file.startsWith(destination)) {
        throw new IOException("invalid path: " + entry.path() + "; must stay within its object");
      }
      Files.createDirectories(file.getParent());
      Path stored = stored(kind, object.namespace() + "/" + object.name(), entry);
      Files.createLink(file, stored);
    }
  }

  private Path stored(ObjectKind kind, String name, ObjectManifest.Entry entry)
      throws IOException, InterruptedException {
    String hex = entry.digest().hex();
    Path file = folder.resolve(hex);
    ReentrantLock lock = locks.computeIfAbsent(hex, _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      if (!Files.exists(file)) {
        evict(entry.size());
        Path part = folder.resolve("." + UUID.randomUUID());
        try {
          client.fetch(kind, name, entry, part);
          AtomicFile.promote(part, file);
        } finally {
          Files.deleteIfExists(part);
        }
      }
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return file;
    } finally {
      lock.unlock();
    }
  }

  /** Deletes the least recently used files until there is room for a number of bytes. */
  private synchronized void evict(long incoming) throws IOException {
    List<Path> oldest;
    try (Stream<Path> files = Files.list(folder)) {
      oldest =
          files
              .filter(file -> !isPart(file))
              .sorted(Comparator.comparing(ObjectStore::usedAt))
              .toList();
    }
    long size = incoming;
    for (Path file : oldest) {
      size += size(file);
    }
    for (Path file : oldest) {
      if (size <= maxBytes) {
        return;
      }
      size -= size(file);
      Files.deleteIfExists(file);
    }
  }

  private static boolean isPart(Path file) {
    return file.getFileName().toString().startsWith(".");
  }

  private static long size(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException _) {
      return 0;
    }
  }

  private static FileTime usedAt(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException _) {
      return FileTime.fromMillis(0); // deleted meanwhile
    }
  }
}
