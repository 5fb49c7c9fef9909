package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Serializes the transactions that record or drop references to the same blob.
 *
 * <p>Its lock is the first that such a transaction takes, before those of adapters; only the rows
 * of worker keys and of the job whose result is recorded come before it. A transaction that records
 * a reference makes sure under the lock that the blob is in the store.
 */
@Component
public class BlobReferences {
  /** Key space of the advisory locks on digests. */
  private static final int KEY_SPACE = 1;

  /** Bounds the locks that one transaction can hold: PostgreSQL's table of them is small. */
  private static final int STRIPES = 256;

  private final JdbcClient database;
  private final List<BlobUser> users;
  private final BlobStore blobs;

  BlobReferences(JdbcClient database, List<BlobUser> users, BlobStore blobs) {
    this.database = database;
    this.users = users;
    this.blobs = blobs;
  }

  /**
   * Locks digests until the transaction ends.
   *
   * @param digests {@code sha256:…} of the blobs; may be empty
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void lock(Collection<String> digests) {
    if (digests.isEmpty()) {
      return;
    }
    database
        .sql(
            """
            select count(pg_advisory_xact_lock(?, stripe)) from (
              select distinct (hashtextextended(digest, 0) & ?)::int as stripe
              from unnest(?::text[]) as digest order by stripe) as sorted""")
        .params(KEY_SPACE, STRIPES - 1, digests.toArray(String[]::new))
        .query(Long.class)
        .single();
  }

  /**
   * Locks a digest until the transaction ends, and makes sure that its blob is in the store, so
   * that a reference to it can be recorded. The blob was committed or renewed before the
   * transaction, since S3 may take long for that, and the connection to the database would wait for
   * it. Only {@link #deleteUnused} may have deleted it since: garbage collection spares it.
   *
   * @param digest of the blob
   * @throws Refusal with status 503 if the blob was deleted since it was committed
   * @throws UncheckedIOException if the store cannot be asked
   */
  @Transactional(propagation = Propagation.MANDATORY)
  public void hold(Sha256 digest) {
    lock(List.of(digest.toString()));
    try {
      if (blobs.find(digest).isEmpty()) {
        throw Refusal.unavailable(
            "file was deleted meanwhile: " + digest + "; send it again", Duration.ZERO);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Returns whether anything refers to a blob.
   *
   * @param digest of the blob
   * @return whether the blob must stay
   */
  public boolean exist(Sha256 digest) {
    return users.stream().anyMatch(user -> user.refersTo(digest));
  }

  /**
   * Deletes a blob unless something refers to it. The blob stays if another transaction is about to
   * refer to it: that one has the lock, or finds the blob missing. So the deletion cannot come
   * after the transaction, and a connection to the database waits for it; that is one list and one
   * deletion in S3, and no bytes are sent.
   *
   * @param digest of the blob
   * @throws IOException if the blob cannot be deleted
   */
  @Transactional
  public void deleteUnused(Sha256 digest) throws IOException {
    lock(List.of(digest.toString()));
    if (!exist(digest)) {
      blobs.delete(digest);
    }
  }
}
