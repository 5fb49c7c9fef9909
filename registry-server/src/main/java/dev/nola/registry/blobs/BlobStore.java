package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A store of immutable bytes, addressed by their SHA-256.
 *
 * <p>A blob is either absent or wholly there: no reader sees one half-written, and one that {@link
 * Upload#commit()} has acknowledged survives a crash. All methods may be called from many threads;
 * a single {@link Upload} belongs to one thread at a time.
 */
public interface BlobStore {

  /**
   * Starts an upload, whose digest is known only when all bytes have come.
   *
   * @throws IOException if the store cannot take bytes now
   */
  Upload begin() throws IOException;

  /**
   * Finds a blob.
   *
   * @param digest of the blob
   * @return the blob, or empty if it is absent
   * @throws IOException if the store cannot be asked
   */
  Optional<Blob> find(Sha256 digest) throws IOException;

  /**
   * Returns a URL from which anyone who has it can read a blob, for a short time, without this
   * server. Its bytes are not compared with the digest.
   *
   * @param digest of the blob
   * @param type Content-Type of the answer
   * @param disposition Content-Disposition of the answer
   * @return the URL, or empty if the blob is absent, or the store has or makes no such URLs
   * @throws IOException if the store cannot be asked
   */
  default Optional<URI> link(Sha256 digest, String type, String disposition) throws IOException {
    return Optional.empty();
  }

  /**
   * Sets the modification time of a blob to now: a garbage collection then spares it for its whole
   * grace period.
   *
   * @param digest of the blob
   * @return false if the blob is absent, or is being deleted
   * @throws IOException if the time cannot be set
   */
  boolean renew(Sha256 digest) throws IOException;

  /**
   * Removes a blob, whatever its age; does nothing if it is absent.
   *
   * @param digest of the blob
   * @throws IOException if the blob may still be there
   */
  void delete(Sha256 digest) throws IOException;

  /**
   * Removes a blob if it was last modified before {@code cutoff}. A commit of the same bytes that
   * falls between the check of the age and the removal, in whichever process, leaves them there;
   * readers may miss them for an instant.
   *
   * @param digest of the blob
   * @param cutoff before which it must have been modified
   * @return whether this call removed it; false if it is absent or not old enough
   * @throws IOException if the age cannot be read, or the blob may still be there
   */
  boolean deleteIfModifiedBefore(Sha256 digest, Instant cutoff) throws IOException;

  /**
   * Lists the blobs lazily, in the order of their digests. A blob that is committed or deleted
   * meanwhile may be in the list or not. The caller closes the stream; while it is consumed it
   * throws {@link java.io.UncheckedIOException} if the store fails.
   *
   * @throws IOException if the listing cannot be started
   */
  Stream<Stored> list() throws IOException;

  /**
   * Returns whether the store can take a blob now, by writing and removing a few bytes.
   *
   * @throws IOException if it cannot
   */
  void check() throws IOException;

  /**
   * Removes the remains of uploads that were never closed, such as those of a crashed process.
   * Uploads still open in this process are spared.
   *
   * @param olderThan how long ago an upload must have had its last byte; more than the longest
   *     pause that an upload open in another process makes, since that one is not spared
   * @return the number of uploads removed
   * @throws IllegalArgumentException if {@code olderThan} is negative
   * @throws IOException if the store fails; some uploads may have been removed
   */
  int removeAbandonedUploads(Duration olderThan) throws IOException;

  /**
   * Bytes on their way into the store, hashed as they come. Invisible to all readers of the store
   * until {@link #commit()}.
   */
  interface Upload extends AutoCloseable {

    /**
     * Appends bytes.
     *
     * @param bytes array with the bytes
     * @param offset of the first byte in the array
     * @param length number of bytes
     * @throws IndexOutOfBoundsException if the range is not within {@code bytes}
     * @throws IllegalStateException if the upload is committed, closed or has failed before, or its
     *     digest was taken
     * @throws IOException if the bytes cannot be kept; the upload can then only be closed
     */
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** Returns the number of bytes written so far. */
    long size();

    /**
     * Returns the digest of all bytes written; no more can be written after it.
     *
     * @return the digest under which {@link #commit()} publishes the bytes
     */
    Sha256 digest();

    /**
     * Reads what was written so far, from its beginning. The caller closes the stream, before it
     * commits or closes the upload.
     *
     * @throws IllegalStateException if the upload is committed, closed or has failed before
     * @throws IOException if the bytes cannot be read back
     */
    InputStream open() throws IOException;

    /**
     * Publishes the bytes, at once and durably. If the store has these bytes already they are
     * replaced, which sets their modification time to now: a garbage collection then spares them
     * for its whole grace period. A second call renews that time.
     *
     * @return the digest of all bytes written
     * @throws IllegalStateException if the upload is closed or has failed before
     * @throws IOException if it is not certain that the blob is there and would survive a crash; it
     *     may be visible nonetheless, and the upload can then only be closed
     */
    Sha256 commit() throws IOException;

    /**
     * Ends the upload; without a commit before, no trace of it remains. Calls after the first do
     * nothing.
     *
     * @throws IOException if something may remain, for {@link BlobStore#removeAbandonedUploads}
     */
    @Override
    void close() throws IOException;
  }

  /** A blob that was present when it was found. */
  interface Blob {

    /** Returns the size in bytes. */
    long size();

    /**
     * Returns what tells these stored bytes from others that were or will be at the same address,
     * such as a repaired copy.
     *
     * @return a value to compare by {@code equals}; equal as long as nobody has written since
     */
    Object identity();

    /**
     * Reads a range. The stream returns exactly {@code length} bytes or throws; it never ends
     * early. The caller closes it.
     *
     * @param offset of the first byte, from 0
     * @param length in bytes, may be 0
     * @throws IndexOutOfBoundsException if the range is not within the blob
     * @throws IOException if the blob cannot be read, or was deleted after it was looked up
     */
    InputStream open(long offset, long length) throws IOException;
  }

  /**
   * An entry of the listing.
   *
   * @param digest the blob's address
   * @param size in bytes
   * @param lastModified when these bytes were last committed
   */
  record Stored(Sha256 digest, long size, Instant lastModified) {}
}
