package dev.nola.registry.blobs;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Looks for every blob that something refers to, and compares all bytes with their digests. */
public final class Scrub {

  private static final int PAGE = 10_000;

  private final BlobStore store;
  private final List<? extends BlobUser> users;

  /**
   * Creates a scrub.
   *
   * @param store whose blobs are checked
   * @param users that refer to blobs
   */
  public Scrub(BlobStore store, List<? extends BlobUser> users) {
    this.store = store;
    this.users = users;
  }

  /**
   * Checks the whole store once; changes nothing. Blobs deleted meanwhile are skipped.
   *
   * @return the blobs that are missing, or whose bytes do not have their digest or, at each of
   *     several reads, the checksum that the store keeps
   * @throws IOException if the store fails or a blob cannot be read, which may be temporary and is
   *     therefore not reported as corruption
   */
  public ScrubReport run() throws IOException {
    // References and blobs are read side by side, in one order: to look for each blob by itself
    // would be a request for each, where a page of the list has a thousand.
    List<References> references = users.stream().map(References::new).toList();
    Set<Sha256> missing = new LinkedHashSet<>();
    long checked = 0;
    List<Sha256> corrupt = new ArrayList<>();
    try (Stream<BlobStore.Stored> all = store.list()) {
      for (BlobStore.Stored stored : (Iterable<BlobStore.Stored>) all::iterator) {
        for (References user : references) {
          user.addMissing(stored.digest(), missing);
        }
        switch (check(stored.digest())) {
          case INTACT -> checked++;
          case DAMAGED -> {
            checked++;
            corrupt.add(stored.digest());
          }
          case DELETED -> {}
        }
      }
      for (References user : references) {
        user.addMissing(null, missing);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new ScrubReport(checked, corrupt, List.copyOf(missing));
  }

  private enum Outcome {
    INTACT,
    DAMAGED,
    DELETED
  }

  private Outcome check(Sha256 digest) throws IOException {
    Optional<BlobStore.Blob> blob = store.find(digest);
    if (blob.isEmpty()) {
      return Outcome.DELETED;
    }
    try {
      return BlobHash.of(blob.get()).filter(digest::equals).isPresent()
          ? Outcome.INTACT
          : Outcome.DAMAGED;
    } catch (IOException e) {
      // A blob deleted between listing and opening is not damaged.
      if (store.find(digest).isEmpty()) {
        return Outcome.DELETED;
      }
      throw new IOException("cannot read blob " + digest, e);
    }
  }

  /** The references of a user to blobs, in the order of the digests. */
  private final class References {
    private final BlobUser user;
    private List<Sha256> page;
    private int next;

    References(BlobUser user) {
      this.user = user;
      this.page = user.references("", PAGE);
    }

    /**
     * Continues after a blob that is in the list.
     *
     * @param stored digest of the blob; null at the end of the list
     * @param missing receives the digests before it that are referred to and not in the store
     */
    void addMissing(@Nullable Sha256 stored, Set<Sha256> missing) throws IOException {
      while (next < page.size() && (stored == null || page.get(next).compareTo(stored) <= 0)) {
        Sha256 digest = page.get(next);
        // The blob may have been committed since the list was read. If the reference is gone by
        // now, the blob may have been collected, and nothing is lost.
        if (!digest.equals(stored) && store.find(digest).isEmpty() && user.refersTo(digest)) {
          missing.add(digest);
        }
        next++;
        if (next == page.size()) {
          page = user.references(digest.toString(), PAGE);
          next = 0;
        }
      }
    }
  }
}
