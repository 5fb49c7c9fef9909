package dev.nola.client.cache;

import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import dev.nola.files.ProcessLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps whole files by the SHA-256 of their bytes, and the beginnings of files that are being
 * downloaded. Whoever changes a digest's files holds its lock. For pulling; applications have no
 * use for it.
 */
public final class CachedFiles {
  /** Files that were used more recently are not evicted. */
  private static final Duration GRACE = Duration.ofMinutes(LocalCache.GRACE_MINUTES);

  private final CacheLayout layout;

  CachedFiles(CacheLayout layout) {
    this.layout = layout;
  }

  /** A file on disk, whole or partial. */
  record Stored(Path path, Sha256 digest, long size, FileTime used) {}

  /**
   * Waits for the lock on a digest's files.
   *
   * @param digest SHA-256 of a file
   * @return the lock, which the caller closes
   * @throws IOException if the cache cannot be written
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public ProcessLock lock(Sha256 digest) throws IOException, InterruptedException {
    return ProcessLock.acquire(layout.lock(digest));
  }

  /**
   * Takes the lock on a digest's files if nobody holds it.
   *
   * @param digest SHA-256 of a file
   * @return the lock, which the caller closes, or null if another thread or process holds it
   * @throws IOException if the cache cannot be written
   */
  public @Nullable ProcessLock tryLock(Sha256 digest) throws IOException {
    return ProcessLock.tryAcquire(layout.lock(digest));
  }

  /**
   * Finds a whole file, compares it with its digest, and marks it as used. One that differs is
   * removed.
   *
   * @param digest SHA-256 of the file
   * @return the file, or null if absent
   * @throws IOException if the cache cannot be read
   * @throws InterruptedException if the thread is interrupted while it waits for the lock
   */
  public @Nullable Path find(Sha256 digest) throws IOException, InterruptedException {
    if (!Files.exists(layout.blob(digest))) {
      return null;
    }
    try (ProcessLock _ = lock(digest)) {
      return findLocked(digest);
    }
  }

  /**
   * Finds a whole file as {@link #find} does, for a caller that holds the lock.
   *
   * @param digest SHA-256 of the file
   * @return the file, or null if absent
   * @throws IOException if the cache cannot be read
   */
  public @Nullable Path findLocked(Sha256 digest) throws IOException {
    Path blob = layout.blob(digest);
    if (!Files.isRegularFile(blob)) {
      return null;
    }
    Files.setLastModifiedTime(blob, FileTime.from(Instant.now()));
    if (Sha256.hash(blob).equals(digest)) {
      return blob;
    }
    Files.delete(blob);
    return null;
  }

  /**
   * Returns the path at which the beginning of a file is kept until the rest has come, for a caller
   * that holds the lock.
   *
   * @param digest SHA-256 of the file
   * @return the path, whose folder exists
   * @throws IOException if the cache cannot be written
   */
  public Path partial(Sha256 digest) throws IOException {
    Files.createDirectories(layout.partials());
    return layout.partial(digest);
  }

  /**
   * Returns how much of a file has been downloaded.
   *
   * @param digest SHA-256 of the file
   * @return the size of the partial file in bytes; 0 if absent
   * @throws IOException if the cache cannot be read
   */
  public long partialSize(Sha256 digest) throws IOException {
    Path partial = layout.partial(digest);
    return Files.exists(partial) ? Files.size(partial) : 0;
  }

  /**
   * Promotes the partial download to a whole file if its digest matches; otherwise deletes it.
   *
   * @param digest SHA-256 of the file
   * @return the whole file, or null if the digest does not match
   * @throws IOException if the cache cannot be written
   */
  public @Nullable Path promote(Sha256 digest) throws IOException {
    Path partial = partial(digest);
    if (!Sha256.hash(partial).equals(digest)) {
      Files.delete(partial);
      return null;
    }
    Files.createDirectories(layout.blobs());
    AtomicFile.promote(partial, layout.blob(digest));
    return layout.blob(digest);
  }

  /** Returns all whole files. */
  List<Stored> whole() throws IOException {
    return stored(layout.blobs());
  }

  /** Returns all files, whole and partial. */
  List<Stored> all() throws IOException {
    List<Stored> all = new ArrayList<>(whole());
    all.addAll(stored(layout.partials()));
    return all;
  }

  /** Removes a digest's files; returns false if there was no whole one. */
  boolean remove(Sha256 digest) throws IOException, InterruptedException {
    try (ProcessLock _ = lock(digest)) {
      Files.deleteIfExists(layout.partial(digest));
      return Files.deleteIfExists(layout.blob(digest));
    }
  }

  /** Removes all files that nobody works on; returns the number of bytes removed. */
  long clear() throws IOException {
    long freed = 0;
    for (Stored file : all()) {
      freed += removeUnlessBusy(file, false);
    }
    return freed;
  }

  /**
   * Removes the least recently used files until the rest is within the limit; returns false if it
   * was already.
   */
  boolean evict(long limit) throws IOException {
    List<Stored> files = all();
    long total = files.stream().mapToLong(Stored::size).sum();
    if (total <= limit) {
      return false;
    }
    for (Stored file : files.stream().sorted(Comparator.comparing(Stored::used)).toList()) {
      if (total <= limit) {
        break;
      }
      total -= removeUnlessBusy(file, true);
    }
    return true;
  }

  /** Returns the bytes that were removed: none if another process uses the file. */
  private long removeUnlessBusy(Stored file, boolean spareRecent) throws IOException {
    ProcessLock lock = tryLock(file.digest);
    if (lock == null) {
      return 0;
    }
    try (lock) {
      Instant used = Files.getLastModifiedTime(file.path).toInstant();
      if (spareRecent && used.isAfter(Instant.now().minus(GRACE))) {
        return 0;
      }
      return Files.deleteIfExists(file.path) ? file.size : 0;
    } catch (NoSuchFileException _) {
      return 0;
    }
  }

  private static List<Stored> stored(Path folder) throws IOException {
    List<Stored> stored = new ArrayList<>();
    for (Path path : CacheLayout.list(folder)) {
      Optional<Sha256> digest = CacheLayout.digest(path);
      if (digest.isEmpty()) {
        continue;
      }
      try {
        stored.add(
            new Stored(path, digest.get(), Files.size(path), Files.getLastModifiedTime(path)));
      } catch (NoSuchFileException _) {
        continue; // another process removed it meanwhile
      }
    }
    return stored;
  }
}
