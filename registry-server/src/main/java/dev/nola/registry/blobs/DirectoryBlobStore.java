package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
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
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Blobs as files, {@code sha256/ab/cd/<64 hex digits>} under a root directory, with uploads in
 * {@code tmp/} beside them.
 *
 * <p>Needs a POSIX file system, with the whole root on one volume: publishing is an atomic rename
 * that replaces, and directories are synced. Several processes may share a root; each opens one
 * store, whose locks keep its own commits and deletions apart.
 */
final class DirectoryBlobStore implements BlobStore, SpooledUpload.Publication {

  private static final Pattern SHARD = Pattern.compile("[0-9a-f]{2}");
  private static final Pattern BLOB = Pattern.compile("[0-9a-f]{64}");
  private static final int LOCK_COUNT = 256;

  private final Spool spool;
  private final Path blobs;
  private final Clock clock;

  /** Striped by the digest's first byte: bounded, unlike one lock for every digest ever seen. */
  private final Lock[] locks =
      IntStream.range(0, LOCK_COUNT).mapToObj(_ -> new ReentrantLock()).toArray(Lock[]::new);

  private DirectoryBlobStore(Spool spool, Path blobs, Clock clock) {
    this.spool = spool;
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
  static DirectoryBlobStore open(Path root, Clock clock) throws IOException {
    Spool spool = Spool.open(root.resolve("tmp"), clock);
    Path blobs = Files.createDirectories(root.resolve("sha256"));
    sync(root);
    return new DirectoryBlobStore(spool, blobs, clock);
  }

  @Override
  public Upload begin() throws IOException {
    return SpooledUpload.begin(spool, this);
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
    Path aside = spool.reserve();
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
      spool.release(aside);
    }
  }

  @Override
  public Stream<Stored> list() throws IOException {
    // Not Files.walk: that fails if a file is deleted after it was listed.
    return Files.list(blobs)
        .sorted()
        .filter(DirectoryBlobStore::isShard)
        .flatMap(DirectoryBlobStore::children)
        .filter(DirectoryBlobStore::isShard)
        .flatMap(DirectoryBlobStore::children)
        .flatMap(file -> stored(file).stream());
  }

  @Override
  public void check() throws IOException {
    Path probe = spool.reserve();
    // One fixed name that no blob has, so that crashes leave at most one probe file.
    Path published = blobs.resolve(".probe");
    try (FileChannel channel = Spool.create(probe)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}));
      channel.force(true);
      Files.move(probe, published, StandardCopyOption.ATOMIC_MOVE);
      Files.deleteIfExists(published);
    } finally {
      Files.deleteIfExists(probe);
      spool.release(probe);
    }
  }

  @Override
  public int removeAbandonedUploads(Duration olderThan) throws IOException {
    return spool.removeAbandoned(olderThan);
  }

  @Override
  public void publish(SpooledUpload.SpooledFile upload) throws IOException {
    upload.channel().force(true);
    Path file = fileOf(upload.digest());
    Path shard = Objects.requireNonNull(file.getParent());
    Path outerShard = Objects.requireNonNull(shard.getParent());
    Lock lock = lockOf(upload.digest());
    lock.lock();
    try {
      Files.createDirectories(shard);
      // Dated now, not when its last byte came: the grace period starts with the commit.
      Files.setLastModifiedTime(upload.path(), FileTime.from(clock.instant()));
      // Always replaces. To touch a file found here could lose it to a deletion by another
      // process in between, and would leave a corrupt one corrupt.
      Files.move(upload.path(), file, StandardCopyOption.ATOMIC_MOVE);
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
      return Files.list(directory).sorted();
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

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
