package dev.nola.client.cache;

import dev.nola.api.name.Reference;
import dev.nola.client.cache.CachedFiles.Stored;
import dev.nola.digest.Sha256;
import dev.nola.files.ProcessLock;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The files that were pulled, by the SHA-256 of their bytes, in a folder that any number of threads
 * and processes share. The package's documentation has its layout.
 *
 * <p>When it grows beyond its limit, files go that have not been used for the longest time, but
 * none that was used within the last {@value #GRACE_MINUTES} minutes. Immutable.
 */
public final class LocalCache {
  /** The default limit in bytes for all files together: 10 GiB. */
  public static final long DEFAULT_LIMIT = 10L << 30;

  static final int GRACE_MINUTES = 5;

  private final Path root;
  private final long limit;
  private final CachedFiles files;
  private final KnownReferences references;

  private LocalCache(Path root, long limit) {
    this.root = root;
    this.limit = limit;
    CacheLayout layout = new CacheLayout(root);
    this.files = new CachedFiles(layout);
    this.references = new KnownReferences(layout);
  }

  /**
   * A file in the cache.
   *
   * @param digest SHA-256 of its bytes
   * @param size in bytes
   * @param lastUsed when it was pulled last, from the registry or from here
   * @param names what it was pulled as
   */
  public record Entry(Sha256 digest, long size, Instant lastUsed, List<Name> names) {
    /** Copies the list. */
    public Entry {
      names = List.copyOf(names);
    }
  }

  /**
   * What a file was pulled as.
   *
   * @param registry the registry's URL
   * @param reference the reference that was pulled
   * @param version the number of the version that it resolved to
   */
  public record Name(URI registry, Reference reference, String version) {}

  /**
   * The result of comparing all files with their digests.
   *
   * @param whole the number of valid files
   * @param damaged the digests of the files that differed and were removed
   */
  public record Check(int whole, List<Sha256> damaged) {
    /** Copies the list. */
    public Check {
      damaged = List.copyOf(damaged);
    }
  }

  /**
   * Returns the user's cache: {@code $NOLA_CACHE}, or {@code ${XDG_CACHE_HOME:-~/.cache}/nola}.
   *
   * @return the cache
   */
  public static LocalCache standard() {
    return of(System.getenv());
  }

  /**
   * Returns the cache that a process with these environment variables would use.
   *
   * @param environment the variables by name
   * @return the cache
   */
  public static LocalCache of(Map<String, String> environment) {
    return at(UserDirectories.cache(environment));
  }

  /**
   * Returns the cache in a folder.
   *
   * @param folder the folder, which is created when it is needed
   * @return the cache
   */
  public static LocalCache at(Path folder) {
    return new LocalCache(folder.toAbsolutePath().normalize(), DEFAULT_LIMIT);
  }

  /**
   * Returns the same cache with another size limit.
   *
   * @param bytes the limit for all files together
   * @return the cache with the limit
   * @throws IllegalArgumentException if it is negative
   */
  public LocalCache withLimit(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "invalid cache limit: " + bytes + "; must not be negative");
    }
    return new LocalCache(root, bytes);
  }

  /**
   * Returns the cache's folder.
   *
   * @return the folder
   */
  public Path path() {
    return root;
  }

  /**
   * Returns the files, for pulling.
   *
   * @return the whole and partial files
   */
  public CachedFiles files() {
    return files;
  }

  /**
   * Returns what references meant when they were pulled, for pulling.
   *
   * @return the references
   */
  public KnownReferences references() {
    return references;
  }

  /**
   * Lists all complete files, the most recently used first.
   *
   * @return the files
   * @throws IOException if the folder cannot be read
   */
  public List<Entry> list() throws IOException {
    Map<Sha256, List<Name>> names = new HashMap<>();
    for (KnownReference known : references.list()) {
      names
          .computeIfAbsent(known.digest(), _ -> new ArrayList<>())
          .add(new Name(known.registry(), known.reference(), known.version()));
    }
    return files.whole().stream()
        .sorted(Comparator.comparing(Stored::used).reversed())
        .map(
            file ->
                new Entry(
                    file.digest(),
                    file.size(),
                    file.used().toInstant(),
                    names.getOrDefault(file.digest(), List.of()).stream()
                        .sorted(Comparator.comparing(Name::toString))
                        .toList()))
        .toList();
  }

  /**
   * Returns the size of all files, partial downloads included.
   *
   * @return the size in bytes
   * @throws IOException if the folder cannot be read
   */
  public long size() throws IOException {
    return files.all().stream().mapToLong(Stored::size).sum();
  }

  /**
   * Removes all files except those that are being written.
   *
   * @return the number of bytes removed
   * @throws IOException if a file cannot be removed
   */
  public long clear() throws IOException {
    long freed = files.clear();
    references.forgetWithoutFile();
    return freed;
  }

  /**
   * Removes a file.
   *
   * @param digest SHA-256 of the file
   * @return false if it was not cached
   * @throws IOException if the file cannot be removed
   * @throws InterruptedException if the thread is interrupted while another works on the file
   */
  public boolean remove(Sha256 digest) throws IOException, InterruptedException {
    boolean removed = files.remove(digest);
    references.forgetWithoutFile();
    return removed;
  }

  /**
   * Removes the files to which a reference resolved, on any registry, when it was pulled.
   *
   * @param reference the reference
   * @return false if it was not pulled, or its file is gone already
   * @throws IOException if a file cannot be removed
   * @throws InterruptedException if the thread is interrupted while another works on a file
   */
  public boolean remove(Reference reference) throws IOException, InterruptedException {
    Set<Sha256> digests = new TreeSet<>();
    for (KnownReference known : references.list()) {
      if (known.reference().equals(reference)) {
        digests.add(known.digest());
      }
    }
    boolean removed = false;
    for (Sha256 digest : digests) {
      removed |= remove(digest);
    }
    return removed;
  }

  /**
   * Compares all files with their digests and removes those that differ.
   *
   * @return the number of valid files and the digests of the removed ones
   * @throws IOException if a file cannot be read or removed
   * @throws InterruptedException if the thread is interrupted while another works on a file
   */
  public Check verify() throws IOException, InterruptedException {
    int whole = 0;
    List<Sha256> damaged = new ArrayList<>();
    for (Stored file : files.whole()) {
      try (ProcessLock _ = files.lock(file.digest())) {
        if (Sha256.hash(file.path()).equals(file.digest())) {
          whole++;
        } else {
          Files.delete(file.path());
          damaged.add(file.digest());
        }
      } catch (NoSuchFileException _) {
        continue; // another process removed it meanwhile
      }
    }
    references.forgetWithoutFile();
    return new Check(whole, damaged);
  }

  /**
   * Removes the least recently used files until the rest is within the limit.
   *
   * @throws IOException if a file cannot be removed
   */
  public void evict() throws IOException {
    if (files.evict(limit)) {
      references.forgetWithoutFile();
    }
  }
}
