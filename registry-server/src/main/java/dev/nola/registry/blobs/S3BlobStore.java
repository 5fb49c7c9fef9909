package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.ResponseInputStream;

/**
 * Blobs as objects of a bucket of S3, or of a compatible store whose reads and lists show every
 * write acknowledged before.
 *
 * <p>Each commit writes an object of its own, {@code sha256/<64 hex digits>/<time>-<random>}, and
 * then deletes the blob's objects that it had listed before: the last one in the order of keys is
 * the blob. So no request depends on another process not having written in between. A deletion can
 * only hit objects that were listed before it, never what a commit or renewal writes meanwhile,
 * which S3's conditional requests cannot tell by an entity tag: the same bytes have the same. It
 * also dates blobs by the registry's clock instead of S3's, and makes a repeated request harmless
 * if the answer to the first was lost.
 *
 * <p>Two commits of the same bytes at the same time may both leave their object, until the next
 * commit, renewal or deletion of the blob. A reader whose object is deleted by a commit continues
 * in that commit's. {@link #renew} has S3 copy the object. {@link #deleteIfModifiedBefore} may
 * return true in two processes that delete the same blob at the same time.
 *
 * <p>Uploads are received into a local folder, and sent to S3 by {@link Upload#commit()}. A crash
 * leaves files there, or parts in S3 that nobody joined; {@link #removeAbandonedUploads} removes
 * both, the parts by the time at which the commit began. Some compatible stores do not list such
 * parts; a lifecycle rule of the bucket removes them, too.
 */
final class S3BlobStore implements BlobStore, SpooledUpload.Publication, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(S3BlobStore.class);

  /** One key that no blob has, so that crashes leave at most one probe. */
  private static final String PROBE = "probe";

  /** Renewals and commits by others that a renewal or a read may be overtaken by. */
  private static final int MAX_REPLACEMENTS = 10;

  private static final int LISTS_OF_ABSENT = 3;

  private final Spool spool;
  private final Bucket bucket;
  private final Clock clock;

  private S3BlobStore(Spool spool, Bucket bucket, Clock clock) {
    this.spool = spool;
    this.bucket = bucket;
    this.clock = clock;
  }

  /**
   * Opens the store, without asking S3.
   *
   * @param bucket has the blobs; closed with the store
   * @param uploads local folder of uploads; created if it is missing
   * @param clock dates the blobs; garbage collection must use the same clock
   * @return the store
   * @throws IOException if the folder cannot be created
   */
  static S3BlobStore open(Bucket bucket, Path uploads, Clock clock) throws IOException {
    return new S3BlobStore(Spool.open(uploads, clock), bucket, clock);
  }

  /**
   * One of the objects of a blob.
   *
   * @param name of the object
   * @param object as it was listed
   */
  private record Copy(S3Name name, Bucket.StoredObject object) {
    static Optional<Copy> of(Bucket.StoredObject object) {
      return S3Name.parse(object.key()).map(name -> new Copy(name, object));
    }

    Stored stored() {
      return new Stored(name.digest(), object.size(), name.time());
    }
  }

  @Override
  public Upload begin() throws IOException {
    return SpooledUpload.begin(spool, this);
  }

  @Override
  public Optional<Blob> find(Sha256 digest) throws IOException {
    return newest(digest).map(copy -> new S3Blob(digest, copy.object()));
  }

  @Override
  public Optional<URI> link(Sha256 digest, String type, String disposition) throws IOException {
    if (!bucket.presigns()) {
      return Optional.empty();
    }
    Optional<Copy> copy = newest(digest);
    return copy.isEmpty()
        ? Optional.empty()
        : Optional.of(bucket.presign(copy.get().object().key(), type, disposition));
  }

  @Override
  public boolean renew(Sha256 digest) throws IOException {
    for (int i = 0; i < MAX_REPLACEMENTS; i++) {
      List<Copy> copies = copiesIfAny(digest);
      if (copies.isEmpty()) {
        return false;
      }
      if (bucket.copy(copies.getLast().object(), next(digest, copies).key())) {
        deleteReplaced(copies);
        return true;
      }
      // Another process has deleted it since, or replaced it.
    }
    throw new IOException("blob " + digest + " replaced too often while it was renewed");
  }

  @Override
  public void publish(SpooledUpload.SpooledFile file) throws IOException {
    List<Copy> copies = copies(file.digest());
    // Always writes: an object that is there may be damaged, or just being deleted.
    bucket.put(next(file.digest(), copies).key(), file);
    deleteReplaced(copies);
  }

  /** Returns a name that comes after those of all copies, even if another's clock is fast. */
  private S3Name next(Sha256 digest, List<Copy> copies) {
    Instant now = clock.instant();
    Instant least =
        copies.isEmpty() ? Instant.MIN : copies.getLast().name().time().plus(1, ChronoUnit.MICROS);
    return S3Name.unique(digest, now.isBefore(least) ? least : now);
  }

  /** Deletes objects that a later one has replaced, whose commit or renewal has succeeded. */
  private void deleteReplaced(List<Copy> copies) {
    for (Copy copy : copies) {
      try {
        bucket.delete(copy.object().key());
      } catch (IOException e) {
        LOG.warn("replaced object is left for the next commit of its blob", e);
      }
    }
  }

  @Override
  public void delete(Sha256 digest) throws IOException {
    for (Copy copy : copies(digest)) {
      bucket.delete(copy.object().key());
    }
  }

  @Override
  public boolean deleteIfModifiedBefore(Sha256 digest, Instant cutoff) throws IOException {
    List<Copy> copies = copies(digest);
    if (copies.isEmpty() || !copies.getLast().name().time().isBefore(cutoff)) {
      return false;
    }
    // Those listed, and in their order: a commit since has a later object, and if a deletion fails,
    // the blob is still the last one.
    for (Copy copy : copies) {
      bucket.delete(copy.object().key());
    }
    return true;
  }

  @Override
  public Stream<Stored> list() throws IOException {
    try {
      Newest newest = new Newest(bucket.list(S3Name.ALL));
      return StreamSupport.stream(
          Spliterators.spliteratorUnknownSize(newest, Spliterator.NONNULL | Spliterator.DISTINCT),
          false);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public void check() throws IOException {
    spool.check();
    bucket.put(PROBE, "probe".getBytes(StandardCharsets.US_ASCII));
    bucket.delete(PROBE);
  }

  @Override
  public int removeAbandonedUploads(Duration olderThan) throws IOException {
    return spool.removeAbandoned(olderThan) + bucket.abortUploads(clock.instant().minus(olderThan));
  }

  @Override
  public void close() {
    bucket.close();
  }

  private Optional<Copy> newest(Sha256 digest) throws IOException {
    List<Copy> copies = copiesIfAny(digest);
    return copies.isEmpty() ? Optional.empty() : Optional.of(copies.getLast());
  }

  /**
   * Lists again before it takes a blob for absent: in stores whose lists are not of one instant, a
   * list may miss both the object that a commit writes and the one that it deletes.
   */
  private List<Copy> copiesIfAny(Sha256 digest) throws IOException {
    List<Copy> copies = copies(digest);
    for (int i = 1; copies.isEmpty() && i < LISTS_OF_ABSENT; i++) {
      copies = copies(digest);
    }
    return copies;
  }

  /** Returns the objects of a blob, the oldest first. */
  private List<Copy> copies(Sha256 digest) throws IOException {
    try {
      return copies(bucket.list(S3Name.prefix(digest))).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static Stream<Copy> copies(Iterator<Bucket.StoredObject> objects) {
    return StreamSupport.stream(
            Spliterators.spliteratorUnknownSize(objects, Spliterator.ORDERED), false)
        .flatMap(object -> Copy.of(object).stream());
  }

  /** The last object of each blob, of all in the order of their keys. */
  private static final class Newest implements Iterator<Stored> {
    private final Iterator<Copy> copies;
    private @Nullable Copy ahead;

    Newest(Iterator<Bucket.StoredObject> objects) {
      this.copies = copies(objects).iterator();
    }

    @Override
    public boolean hasNext() {
      if (ahead == null && copies.hasNext()) {
        ahead = copies.next();
      }
      return ahead != null;
    }

    @Override
    public Stored next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Copy newest = Objects.requireNonNull(ahead);
      ahead = null;
      while (hasNext()
          && Objects.requireNonNull(ahead).name().digest().equals(newest.name().digest())) {
        newest = Objects.requireNonNull(ahead);
        ahead = null;
      }
      return newest.stored();
    }
  }

  /** A blob of which one object was found. */
  private final class S3Blob implements Blob {
    private final Sha256 digest;
    private final Bucket.StoredObject object;

    S3Blob(Sha256 digest, Bucket.StoredObject object) {
      this.digest = digest;
      this.object = object;
    }

    @Override
    public long size() {
      return object.size();
    }

    @Override
    public Object identity() {
      return object;
    }

    @Override
    public InputStream open(long offset, long length) throws IOException {
      Objects.checkFromIndexSize(offset, length, size());
      return new S3Range(this::request, offset, length);
    }

    private ResponseInputStream<?> request(long offset, long length) throws IOException {
      Bucket.StoredObject current = object;
      for (int i = 0; i < MAX_REPLACEMENTS; i++) {
        try {
          return bucket.read(current, offset, length);
        } catch (NoSuchFileException _) {
          current = replacement();
        }
      }
      throw new IOException("blob " + digest + " replaced too often while it was read");
    }

    /** Returns the object that a commit or renewal has left since. */
    private Bucket.StoredObject replacement() throws IOException {
      Bucket.StoredObject newest =
          newest(digest)
              .orElseThrow(() -> new IOException("blob deleted while it was read: " + digest))
              .object();
      if (newest.size() != size()) {
        throw new IOException("blob replaced while it was read: " + digest);
      }
      return newest;
    }
  }
}
