package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Blobs as files, {@code sha256/ab/cd/<64 hex digits>} under a root directory, with uploads in
 * {@code tmp/} beside them.
 *
 * <p>Needs a POSIX file system, with the whole root on one volume: publishing is an atomic rename
 * that replaces, and directories are synced. Several processes may share a root; each opens one
 * store, whose locks keep its own commits and deletions apart.
 */
public final class DirectoryBlobStore implements BlobStore {

  private static final Pattern SHARD = Pattern.compile("[0-9a-f]{2}");
  private static final Pattern BLOB = Pattern.compile("[0-9a-f]{64}");
  private static final int LOCK_COUNT = 256;

  private final Path uploads;
  private final Path blobs;
  private final Clock clock;

  /** Striped by the digest's first byte: bounded, unlike one lock for every digest ever seen. */
  private final Lock[] locks =
      IntStream.range(0, LOCK_COUNT).mapToObj(_ -> new ReentrantLock()).toArray(Lock[]::new);

  private final Set<Path> openUploads = ConcurrentHashMap.newKeySet();

  private DirectoryBlobStore(Path uploads, Path blobs, Clock clock) {
    this.uploads = uploads;
    this.blobs = blobs;
    this.clock = clock;
  }

  /**
   * Opens the store; creates its directories if they are missing.
   *
   * @param root directory of the store
   * @param clock dates the blobs; garbage collection must use the same clock
   * @return the store
   * @throws IOException if the directories cannot be created
   */
  public static DirectoryBlobStore open(Path root, Clock clock) throws IOException {
    Path uploads = Files.createDirectories(root.resolve("tmp"));
    Path blobs = Files.createDirectories(root.resolve("sha256"));
    sync(root);
    return new DirectoryBlobStore(uploads, blobs, clock);
  }

  @Override
  public Upload begin() throws IOException {
    Path file = uploads.resolve(UUID.randomUUID().toString());
    // Registered as open before it exists, so that no clean-up can take it for abandoned.
    openUploads.add(file);
    try {
      return new FileUpload(file);
    } catch (IOException e) {
      openUploads.remove(file);
      throw DiskFull.check(e);
    }
  }

  @Override
  public Optional<Blob> find(Sha256 digest) throws IOException {
    Path file = fileOf(digest);
    return attributes(file).map(attributes -> FileBlob.of(file, attributes));
  }

  @Override
  public boolean renew(Sha256 digest) throws IOException {
    Lock lock = lockOf(digest);
    lock.lock();
    try {
      // A deletion by another process either sees the new time, or has moved the file away.
      Files.setLastModifiedTime(fileOf(digest), FileTime.from(clock.instant()));
      return true;
    } catch (NoSuchFileException _) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void delete(Sha256 digest) throws IOException {
    Lock lock = lockOf(digest);
    lock.lock();
    try {
      // Not synced: a blob that a crash brings back is garbage, not damage.
      Files.deleteIfExists(fileOf(digest));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean deleteIfModifiedBefore(Sha256 digest, Instant cutoff) throws IOException {
    Path file = fileOf(digest);
    Lock lock = lockOf(digest);
    lock.lock();
    try {
      return isBefore(cutoff, file) && removeUnlessRenewed(file, cutoff);
    } finally {
      lock.unlock();
    }
  }

  private static boolean isBefore(Instant cutoff, Path file) throws IOException {
    Optional<BasicFileAttributes> attributes = attributes(file);
    return attributes.isPresent()
        && attributes.get().lastModifiedTime().toInstant().isBefore(cutoff);
  }

  /**
   * Checks the time again where no process can commit any more: another one may have committed the
   * same bytes since.
   */
  private boolean removeUnlessRenewed(Path file, Instant cutoff) throws IOException {
    Path aside = uploads.resolve(UUID.randomUUID().toString());
    openUploads.add(aside);
    try {
      Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
      if (isBefore(cutoff, aside)) {
        Files.delete(aside);
        return true;
      }
      Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
      return false;
    } catch (NoSuchFileException _) {
      return false; // another process has removed it
    } finally {
      openUploads.remove(aside);
    }
  }

  @Override
  public Stream<Stored> list() throws IOException {
    // Not Files.walk: that fails if a file is deleted after it was listed.
    return Files.list(blobs)
        .filter(DirectoryBlobStore::isShard)
        .flatMap(DirectoryBlobStore::children)
        .filter(DirectoryBlobStore::isShard)
        .flatMap(DirectoryBlobStore::children)
        .flatMap(file -> stored(file).stream());
  }

  @Override
  public void check() throws IOException {
    Path probe = uploads.resolve(UUID.randomUUID().toString());
    // One fixed name that no blob has, so that crashes leave at most one probe file.
    Path published = blobs.resolve(".probe");
    openUploads.add(probe);
    try (FileChannel channel = create(probe)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}));
      channel.force(true);
      Files.move(probe, published, StandardCopyOption.ATOMIC_MOVE);
      Files.deleteIfExists(published);
    } finally {
      Files.deleteIfExists(probe);
      openUploads.remove(probe);
    }
  }

  @Override
  public int removeAbandonedUploads(Duration olderThan) throws IOException {
    if (olderThan.isNegative()) {
      throw new IllegalArgumentException(
          "invalid olderThan: " + olderThan + "; must not be negative");
    }
    Instant cutoff = clock.instant().minus(olderThan);
    int removed = 0;
    try (Stream<Path> files = Files.list(uploads)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Optional<BasicFileAttributes> attributes = attributes(file);
        if (attributes.isPresent()
            && attributes.get().lastModifiedTime().toInstant().isBefore(cutoff)
            && !openUploads.contains(file)
            && Files.deleteIfExists(file)) {
          removed++;
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return removed;
  }

  private void publish(Path upload, Sha256 digest) throws IOException {
    Path file = fileOf(digest);
    Path shard = Objects.requireNonNull(file.getParent());
    Path outerShard = Objects.requireNonNull(shard.getParent());
    Lock lock = lockOf(digest);
    lock.lock();
    try {
      Files.createDirectories(shard);
      // Dated now, not when its last byte came: the grace period starts with the commit.
      Files.setLastModifiedTime(upload, FileTime.from(clock.instant()));
      // Always replaces. To touch a file found here could lose it to a deletion by another
      // process in between, and would leave a corrupt one corrupt.
      Files.move(upload, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      lock.unlock();
    }
    sync(shard);
    // The shards too, even if they were there: the process that created them may not have synced
    // them yet.
    sync(outerShard);
    sync(blobs);
  }

  private Path fileOf(Sha256 digest) {
    String hex = digest.hex();
    return blobs.resolve(hex.substring(0, 2)).resolve(hex.substring(2, 4)).resolve(hex);
  }

  private Lock lockOf(Sha256 digest) {
    return locks[Integer.parseInt(digest.hex(), 0, 2, 16)];
  }

  private Optional<Stored> stored(Path file) {
    String name = file.getFileName().toString();
    if (!BLOB.matcher(name).matches()) {
      return Optional.empty();
    }
    Sha256 digest = Sha256.parse("sha256:" + name);
    if (!fileOf(digest).equals(file)) {
      return Optional.empty();
    }
    try {
      return attributes(file)
          .map(found -> new Stored(digest, found.size(), found.lastModifiedTime().toInstant()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isShard(Path directory) {
    return SHARD.matcher(directory.getFileName().toString()).matches();
  }

  private static Stream<Path> children(Path directory) {
    try {
      return Files.list(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<BasicFileAttributes> attributes(Path file) throws IOException {
    try {
      return Optional.of(Files.readAttributes(file, BasicFileAttributes.class));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private final class FileUpload implements Upload {

    private enum State {
      OPEN,
      FAILED,
      COMMITTED,
      CLOSED
    }

    private final Path file;
    private final FileChannel channel;
    private final MessageDigest hash = Sha256.newMessageDigest();
    private long size;
    private @Nullable Sha256 digest;
    private State state = State.OPEN;

    FileUpload(Path file) throws IOException {
      this.file = file;
      this.channel = create(file);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      requireOpen();
      if (digest != null) {
        throw new IllegalStateException("no bytes can be written after the digest was taken");
      }
      // Failed until it has succeeded: after a partial write, file and hash would disagree.
      state = State.FAILED;
      ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
      try {
        while (source.hasRemaining()) {
          channel.write(source);
        }
      } catch (IOException e) {
        throw DiskFull.check(e);
      }
      hash.update(bytes, offset, length);
      size += length;
      state = State.OPEN;
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public Sha256 digest() {
      if (digest == null) {
        digest = Sha256.finish(hash);
      }
      return digest;
    }

    @Override
    public InputStream open() throws IOException {
      requireOpen();
      return new FileRange(FileChannel.open(file, StandardOpenOption.READ), 0, size);
    }

    @Override
    public Sha256 commit() throws IOException {
      if (state == State.COMMITTED) {
        if (!renew(digest())) {
          throw new IOException("blob not in the store: " + digest());
        }
        return digest();
      }
      requireOpen();
      // A failed sync must not be tried again: the kernel may have dropped the bytes it could not
      // write, and the second sync would then report success.
      state = State.FAILED;
      try {
        channel.force(true);
        channel.close();
        publish(file, digest());
      } catch (IOException e) {
        throw DiskFull.check(e);
      }
      openUploads.remove(file);
      state = State.COMMITTED;
      return digest();
    }

    @Override
    public void close() throws IOException {
      if (state == State.COMMITTED || state == State.CLOSED) {
        return;
      }
      state = State.CLOSED;
      try (channel) {
        Files.deleteIfExists(file);
      } finally {
        openUploads.remove(file);
      }
    }

    private void requireOpen() {
      if (state != State.OPEN) {
        throw new IllegalStateException("invalid upload: " + state + "; must be OPEN");
      }
    }
  }
}
