package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An upload in a local file, which is published as a whole. */
final class SpooledUpload implements BlobStore.Upload {
  private enum State {
    OPEN,
    FAILED,
    COMMITTED,
    CLOSED
  }

  /** Makes blobs of spooled files. */
  interface Publication {
    /**
     * Publishes a file, at once and durably, in place of a blob with the same digest.
     *
     * @param file with all bytes; may be moved away, but not changed
     * @throws IOException if it is not certain that the blob is there and would survive a crash
     */
    void publish(SpooledFile file) throws IOException;

    /**
     * Renews a blob; see {@link BlobStore#renew}.
     *
     * @param digest of the blob
     * @return false if the blob is absent, or is being deleted
     * @throws IOException if the time cannot be set
     */
    boolean renew(Sha256 digest) throws IOException;
  }

  /**
   * A file with all bytes of an upload.
   *
   * @param path of the file
   * @param channel that wrote it, not synced
   * @param size in bytes
   * @param digest of the bytes as they came
   */
  record SpooledFile(Path path, FileChannel channel, long size, Sha256 digest) {}

  private final Spool spool;
  private final Publication publication;
  private final Path file;
  private final FileChannel channel;
  private final MessageDigest hash = Sha256.newMessageDigest();
  private long size;
  private @Nullable Sha256 digest;
  private State state = State.OPEN;

  private SpooledUpload(Spool spool, Publication publication, Path file) throws IOException {
    this.spool = spool;
    this.publication = publication;
    this.file = file;
    this.channel = Spool.create(file);
  }

  /**
   * Starts an upload.
   *
   * @param spool has the file
   * @param publication of the bytes on commit
   * @return the upload, without bytes
   * @throws IOException if the file cannot be created
   */
  static SpooledUpload begin(Spool spool, Publication publication) throws IOException {
    Path file = spool.reserve();
    try {
      return new SpooledUpload(spool, publication, file);
    } catch (IOException e) {
      spool.release(file);
      throw DiskFull.check(e);
    }
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
      if (!publication.renew(digest())) {
        throw new IOException("blob not in the store: " + digest());
      }
      return digest();
    }
    requireOpen();
    // A failed sync must not be tried again: the kernel may have dropped the bytes it could not
    // write, and the second sync would then report success.
    state = State.FAILED;
    try {
      publication.publish(new SpooledFile(file, channel, size, digest()));
    } catch (IOException e) {
      throw DiskFull.check(e);
    }
    state = State.COMMITTED;
    return digest();
  }

  @Override
  public void close() throws IOException {
    if (state == State.CLOSED) {
      return;
    }
    state = State.CLOSED;
    try (channel) {
      Files.deleteIfExists(file);
    } finally {
      spool.release(file);
    }
  }

  private void requireOpen() {
    if (state != State.OPEN) {
      throw new IllegalStateException("invalid upload: " + state + "; must be OPEN");
    }
  }
}
