package dev.nola.registry.blobs;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Reads blobs so that no damaged one is passed on. Blobs up to {@link #MAX_HASHED} bytes are hashed
 * before their first byte is sent, unless that was done within the last hour and the file is the
 * same since; larger ones are hashed while they are sent, and end early if they are damaged.
 */
@Component
public class BlobReader {
  /** Largest blob that is hashed before it is sent, in bytes. */
  static final long MAX_HASHED = 64L << 20;

  private static final Logger LOG = LoggerFactory.getLogger(BlobReader.class);
  private static final int BUFFER = 64 * 1024;

  /** Bits rot without a change of the modification time: so no verdict holds for ever. */
  private static final Duration VERDICT = Duration.ofHours(1);

  private static final int MAX_VERDICTS = 100_000;
  private static final String ABSENT = "absent";

  /** Blobs that {@link #recheck} asks the store for at once. */
  static final int RECHECKED = 100;

  private final BlobStore store;
  private final Cache<Sha256, Object> intact =
      Caffeine.newBuilder().maximumSize(MAX_VERDICTS).expireAfterWrite(VERDICT).build();

  /** Identity, when it was found out, by digest. */
  private final Map<Sha256, Object> damaged = new ConcurrentHashMap<>();

  /** Where {@link #recheck} continues. */
  private Iterator<Sha256> turns = Collections.emptyIterator();

  BlobReader(BlobStore store, MeterRegistry meters) {
    this.store = store;
    meters.gauge("nola.blobs.damaged", damaged, Map::size);
  }

  /**
   * Returns a blob that something refers to.
   *
   * @param digest of the blob
   * @return the blob, whose bytes have the digest
   * @throws Refusal with status 500 and type {@code damaged-blob} if it is absent or has other
   *     bytes
   * @throws IOException if it cannot be read, which may be temporary
   */
  public BlobStore.Blob get(Sha256 digest) throws IOException {
    Optional<BlobStore.Blob> found = store.find(digest);
    if (found.isEmpty()) {
      throw refusal(digest, ABSENT);
    }
    BlobStore.Blob blob = found.get();
    if (isDamaged(digest, blob)) {
      throw refusal(digest, blob.identity());
    }
    return blob.size() <= MAX_HASHED ? blob : new Hashed(digest, blob);
  }

  /**
   * Returns a URL from which a client can read a blob that something refers to, and must compare it
   * with the digest itself.
   *
   * @param digest of the blob
   * @param type Content-Type of the answer
   * @param disposition Content-Disposition of the answer
   * @return the URL, or empty if the blob is to be read from {@link #get}, which refuses those that
   *     are known to be damaged
   * @throws IOException if the store cannot be asked
   */
  public Optional<URI> link(Sha256 digest, String type, String disposition) throws IOException {
    return damaged.containsKey(digest) ? Optional.empty() : store.link(digest, type, disposition);
  }

  private boolean isDamaged(Sha256 digest, BlobStore.Blob blob) throws IOException {
    Object identity = blob.identity();
    if (identity.equals(damaged.get(digest))) {
      return true;
    }
    if (blob.size() <= MAX_HASHED && !identity.equals(intact.getIfPresent(digest))) {
      if (BlobHash.of(blob).filter(digest::equals).isEmpty()) {
        return true;
      }
      intact.put(digest, identity);
    }
    damaged.remove(digest); // another file than the one that was damaged
    return false;
  }

  private Refusal refusal(Sha256 digest, Object identity) {
    note(digest, identity);
    return Refusal.of(
        HttpStatus.INTERNAL_SERVER_ERROR,
        "damaged-blob",
        "file %s the registry's store: %s; publish the same bytes again, or restore it from a backup"
            .formatted(identity == ABSENT ? "missing from" : "damaged in", digest));
  }

  /**
   * Records which blobs are damaged or missing; all others that something refers to are not.
   *
   * @param all of them, as a scrub has found
   * @throws IOException if the store cannot be asked
   */
  public void note(Collection<Sha256> all) throws IOException {
    damaged.keySet().retainAll(all);
    for (Sha256 digest : all) {
      note(digest, store.find(digest).map(BlobStore.Blob::identity).orElse(ABSENT));
    }
  }

  private void note(Sha256 digest, Object identity) {
    intact.invalidate(digest);
    if (!identity.equals(damaged.put(digest, identity))) {
      LOG.error("blob {} is {}", digest, identity == ABSENT ? "missing" : "damaged");
    }
  }

  /**
   * Returns the blobs that are known to be damaged or missing, without asking the store: metrics
   * and probes call this every few seconds, and after the loss of a bucket it may be all blobs.
   *
   * @return their digests, in order; one that was repaired since it was last read is left out after
   *     {@link #recheck()}
   */
  public Set<Sha256> damaged() {
    return new TreeSet<>(damaged.keySet());
  }

  /** Looks for blobs that were repaired, some of the damaged ones at each call, in turn. */
  @Scheduled(fixedDelayString = "PT1M")
  void recheck() {
    for (int i = 0; i < RECHECKED; i++) {
      if (!turns.hasNext()) {
        turns = damaged.keySet().iterator();
        if (i > 0 || !turns.hasNext()) {
          return;
        }
      }
      Sha256 digest = turns.next();
      try {
        Optional<BlobStore.Blob> blob = store.find(digest);
        if (blob.isPresent()) {
          isDamaged(digest, blob.get()); // forgets it if it is not
        }
      } catch (IOException e) {
        LOG.debug("blob {} cannot be read", digest, e);
        return; // S3 may be unavailable: the rest waits for the next call
      }
    }
  }

  /** A large blob, which is hashed when it is read as a whole. */
  private final class Hashed implements BlobStore.Blob {
    private final Sha256 digest;
    private final BlobStore.Blob blob;

    Hashed(Sha256 digest, BlobStore.Blob blob) {
      this.digest = digest;
      this.blob = blob;
    }

    @Override
    public long size() {
      return blob.size();
    }

    @Override
    public Object identity() {
      return blob.identity();
    }

    @Override
    public InputStream open(long offset, long length) throws IOException {
      InputStream bytes = blob.open(offset, length);
      return offset == 0 && length == blob.size() ? new Hashing(bytes) : bytes;
    }

    /** Throws instead of passing on the last bytes if the digest is wrong. */
    private final class Hashing extends FilterInputStream {
      private final MessageDigest hash = Sha256.newMessageDigest();
      private long remaining = blob.size();

      Hashing(InputStream bytes) {
        super(bytes);
      }

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = super.read(bytes, offset, length);
        if (count > 0) {
          hash.update(bytes, offset, count);
          remaining -= count;
          if (remaining == 0 && !digest.equals(Sha256.finish(hash))) {
            note(digest, blob.identity());
            throw new IOException("blob damaged: " + digest);
          }
        }
        return count;
      }

      @Override
      public long skip(long count) throws IOException {
        return super.readNBytes((int) Math.min(count, BUFFER)).length;
      }

      @Override
      public boolean markSupported() {
        return false;
      }
    }
  }
}
