package dev.nola.client.registry;

import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import dev.nola.files.UserDirectories;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The files that were pulled, by the SHA-256 of their bytes, in a folder that any number of threads
 * and processes share. The package's documentation has its layout.
 *
 * <p>When it grows beyond its limit, files go that have not been used for the longest time, but
 * none that was used within the last {@value #GRACE_MINUTES} minutes. Immutable.
 */
public final class LocalCache {
  /** Bytes that a cache may have if nothing else is said: 10 GiB. */
  public static final long DEFAULT_LIMIT = 10L << 30;

  private static final int GRACE_MINUTES = 5;
  private static final Duration GRACE = Duration.ofMinutes(GRACE_MINUTES);
  private static final Pattern FILE = Pattern.compile("([0-9a-f]{64})\\.(?:nola|part)");
  private static final String NOTE = ".json";
  private static final String TEMPORARY = ".tmp";
  private static final String PARTIAL = "partial";
  private static final int LOCK_DIGITS = 3;

  private final Path root;
  private final long limit;

  private LocalCache(Path root, long limit) {
    this.root = root;
    this.limit = limit;
  }

  /**
   * A file in the cache.
   *
   * @param digest of its bytes
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
   * @param reference what was asked for
   * @param version the number of the version that it meant
   */
  public record Name(URI registry, Reference reference, String version) {}

  /**
   * What comparing all files with their digests has shown.
   *
   * @param whole number of sound files
   * @param damaged digests of those that were not, and are gone now
   */
  public record Check(int whole, List<Sha256> damaged) {
    /** Copies the list. */
    public Check {
      damaged = List.copyOf(damaged);
    }
  }

  /** What a reference meant when the registry was asked last. */
  record Known(
      URI registry, Reference reference, String version, Sha256 digest, @Nullable String yanked) {}

  /** {@link Known} as it is on disk. */
  private record Note(
      String registry, String reference, String version, String digest, @Nullable String yanked) {}

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
      throw new IllegalArgumentException("limit=" + bytes + ", must not be negative");
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
   * Lists all complete files, the most recently used first.
   *
   * @return the files
   * @throws IOException if the folder cannot be read
   */
  public List<Entry> list() throws IOException {
    Map<Sha256, List<Name>> names = new HashMap<>();
    for (Path note : notes()) {
      Known known = read(note);
      if (known != null) {
        names
            .computeIfAbsent(known.digest(), _ -> new ArrayList<>())
            .add(new Name(known.registry(), known.reference(), known.version()));
      }
    }
    return stored(blobs()).stream()
        .sorted(Comparator.comparing(Stored::used).reversed())
        .map(
            file ->
                new Entry(
                    file.digest,
                    file.size,
                    file.used.toInstant(),
                    names.getOrDefault(file.digest, List.of()).stream()
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
    return all().stream().mapToLong(Stored::size).sum();
  }

  /**
   * Removes all files except those that are being written.
   *
   * @return the number of bytes removed
   */
  public long clear() throws IOException {
    long freed = 0;
    for (Stored file : all()) {
      freed += removeUnlessBusy(file, false);
    }
    forgetWithoutFile();
    return freed;
  }

  /**
   * Removes a file.
   *
   * @param digest SHA-256 of the file
   * @return false if there is none
   */
  public boolean remove(Sha256 digest) throws IOException, InterruptedException {
    boolean removed;
    try (ProcessLock _ = lock(digest)) {
      Files.deleteIfExists(partialFile(digest));
      removed = Files.deleteIfExists(blob(digest));
    }
    forgetWithoutFile();
    return removed;
  }

  /**
   * Removes the files to which a reference resolved, on any registry, when it was pulled.
   *
   * @param reference the reference
   * @return false if it was not pulled, or is not there any more
   */
  public boolean remove(Reference reference) throws IOException, InterruptedException {
    Set<Sha256> digests = new TreeSet<>();
    for (Path note : notes()) {
      Known known = read(note);
      if (known != null && known.reference().equals(reference)) {
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
   */
  public Check verify() throws IOException, InterruptedException {
    int whole = 0;
    List<Sha256> damaged = new ArrayList<>();
    for (Stored file : stored(blobs())) {
      try (ProcessLock _ = lock(file.digest)) {
        if (Sha256.hash(file.path).equals(file.digest)) {
          whole++;
        } else {
          Files.delete(file.path);
          damaged.add(file.digest);
        }
      } catch (NoSuchFileException _) {
        continue; // another process has just removed it
      }
    }
    forgetWithoutFile();
    return new Check(whole, damaged);
  }

  /** What a reference meant when it was asked for last, or null. */
  @Nullable Known known(URI registry, Reference reference) throws IOException {
    return read(references(), registry, reference);
  }

  /** What a reference meant when a download of it began that has not ended yet, or null. */
  @Nullable Known begun(URI registry, Reference reference) throws IOException {
    return read(begun(), registry, reference);
  }

  private static @Nullable Known read(Path folder, URI registry, Reference reference)
      throws IOException {
    Known known = read(folder.resolve(name(registry, reference)));
    return known != null && known.registry().equals(registry) && known.reference().equals(reference)
        ? known
        : null;
  }

  /** Keeps what a reference means now; for who has its file. */
  void remember(Known known) throws IOException {
    write(references(), known);
    Files.deleteIfExists(begun().resolve(name(known.registry(), known.reference())));
  }

  /** Keeps what a reference means whose file is about to come. */
  void begin(Known known) throws IOException {
    write(begun(), known);
  }

  private void write(Path folder, Known known) throws IOException {
    UserDirectories.createPrivate(root);
    Files.createDirectories(folder);
    Path temporary = folder.resolve("." + UUID.randomUUID() + TEMPORARY);
    try {
      Files.write(
          temporary,
          JsonMapper.shared()
              .writeValueAsBytes(
                  new Note(
                      known.registry().toString(),
                      known.reference().toString(),
                      known.version(),
                      known.digest().toString(),
                      known.yanked())));
      Files.move(
          temporary,
          folder.resolve(name(known.registry(), known.reference())),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Keeps others away from a digest's files. */
  ProcessLock lock(Sha256 digest) throws IOException, InterruptedException {
    return ProcessLock.acquire(lockFile(digest));
  }

  /** The same if nobody else does so now, else null. */
  @Nullable ProcessLock tryLock(Sha256 digest) throws IOException {
    return ProcessLock.tryAcquire(lockFile(digest));
  }

  /** The file with a digest, which it has been found to have, or null. */
  @Nullable Path find(Sha256 digest) throws IOException, InterruptedException {
    if (!Files.exists(blob(digest))) {
      return null;
    }
    try (ProcessLock _ = lock(digest)) {
      return findLocked(digest);
    }
  }

  /** The same for who holds the lock. */
  @Nullable Path findLocked(Sha256 digest) throws IOException {
    Path blob = blob(digest);
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

  /** Where the beginning of a file is kept until the rest is there; for who holds the lock. */
  Path partial(Sha256 digest) throws IOException {
    Files.createDirectories(root.resolve(PARTIAL));
    return partialFile(digest);
  }

  /** How much of a file has come. */
  long begunSize(Sha256 digest) throws IOException {
    Path partial = partialFile(digest);
    return Files.exists(partial) ? Files.size(partial) : 0;
  }

  /** Makes a file of what has come, if that has the digest; else removes it and gives null. */
  @Nullable Path keep(Sha256 digest) throws IOException {
    Path partial = partial(digest);
    if (!Sha256.hash(partial).equals(digest)) {
      Files.delete(partial);
      return null;
    }
    Files.createDirectories(blobs());
    AtomicFile.promote(partial, blob(digest));
    return blob(digest);
  }

  /** Removes the least recently used files until the rest is within the limit. */
  void evict() throws IOException {
    List<Stored> files = all();
    long total = files.stream().mapToLong(Stored::size).sum();
    if (total <= limit) {
      return;
    }
    for (Stored file : files.stream().sorted(Comparator.comparing(Stored::used)).toList()) {
      if (total <= limit) {
        break;
      }
      total -= removeUnlessBusy(file, true);
    }
    forgetWithoutFile();
  }

  /** Bytes that were removed: none if another process works on it, or has just used it. */
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

  /** Removes what is known of files that are gone. */
  private void forgetWithoutFile() throws IOException {
    forgetWithoutFile(references(), this::blob);
    forgetWithoutFile(begun(), this::partialFile);
  }

  private static void forgetWithoutFile(Path folder, Function<Sha256, Path> file)
      throws IOException {
    for (Path note : files(folder)) {
      Known known = read(note);
      // A download that has just begun has no file yet.
      boolean leftOver = note.toString().endsWith(TEMPORARY);
      if (isOld(note) && (leftOver || known == null || !Files.exists(file.apply(known.digest())))) {
        Files.deleteIfExists(note);
      }
    }
  }

  /** Whether no process can still be at it. */
  private static boolean isOld(Path file) throws IOException {
    try {
      return Files.getLastModifiedTime(file).toInstant().isBefore(Instant.now().minus(GRACE));
    } catch (NoSuchFileException _) {
      return false;
    }
  }

  private record Stored(Path path, Sha256 digest, long size, FileTime used) {}

  private List<Stored> all() throws IOException {
    List<Stored> all = new ArrayList<>(stored(blobs()));
    all.addAll(stored(root.resolve(PARTIAL)));
    return all;
  }

  private static List<Stored> stored(Path folder) throws IOException {
    List<Stored> stored = new ArrayList<>();
    for (Path path : files(folder)) {
      Matcher name = FILE.matcher(String.valueOf(path.getFileName()));
      if (name.matches()) {
        try {
          stored.add(
              new Stored(
                  path,
                  Sha256.parse("sha256:" + name.group(1)),
                  Files.size(path),
                  Files.getLastModifiedTime(path)));
        } catch (NoSuchFileException _) {
          continue; // removed while we look
        }
      }
    }
    return stored;
  }

  private List<Path> notes() throws IOException {
    return files(references()).stream().filter(path -> path.toString().endsWith(NOTE)).toList();
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.collect(Collectors.toCollection(ArrayList::new));
    } catch (NoSuchFileException _) {
      return List.of();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** What a file in {@code references} says, or null if it says nothing that can be used. */
  private static @Nullable Known read(Path note) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(note);
    } catch (NoSuchFileException _) {
      return null;
    }
    try {
      Note read = JsonMapper.shared().readValue(bytes, Note.class);
      if (read == null) {
        return null;
      }
      NameRule.VERSION.require(Objects.requireNonNullElse(read.version(), ""));
      return new Known(
          URI.create(Objects.requireNonNullElse(read.registry(), "")),
          Reference.parse(Objects.requireNonNullElse(read.reference(), "")),
          read.version(),
          Sha256.parse(Objects.requireNonNullElse(read.digest(), "")),
          read.yanked());
    } catch (JacksonException | IllegalArgumentException _) {
      return null; // asking the registry again mends it
    }
  }

  private static String name(URI registry, Reference reference) {
    String text = registry + " " + reference;
    return Sha256.hash(text.getBytes(StandardCharsets.UTF_8)).hex() + NOTE;
  }

  private Path lockFile(Sha256 digest) throws IOException {
    UserDirectories.createPrivate(root);
    return Files.createDirectories(root.resolve("locks"))
        .resolve(digest.hex().substring(0, LOCK_DIGITS));
  }

  private Path references() {
    return root.resolve("references");
  }

  private Path begun() {
    return root.resolve("begun");
  }

  private Path blobs() {
    return root.resolve("blobs");
  }

  private Path partialFile(Sha256 digest) {
    return root.resolve(PARTIAL).resolve(digest.hex() + ".part");
  }

  private Path blob(Sha256 digest) {
    return blobs().resolve(digest.hex() + ".nola");
  }
}
