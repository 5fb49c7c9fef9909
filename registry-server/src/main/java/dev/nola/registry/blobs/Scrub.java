package dev.nola.registry.blobs;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Looks for every blob that something refers to, and compares all bytes with their digests. */
public final class Scrub {

  private static final int BUFFER_BYTES = 64 * 1024;
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
   * @return the blobs that are missing, or whose bytes do not have their digest
   * @throws IOException if the store fails or a blob cannot be read, which may be temporary and is
   *     therefore not reported as corruption
   */
  public ScrubReport run() throws IOException {
    Set<Sha256> missing = new LinkedHashSet<>();
    for (BlobUser user : users) {
      List<Sha256> page = user.references("", PAGE);
      while (!page.isEmpty()) {
        for (Sha256 digest : page) {
          // A reference dropped since is no loss: its blob may have been collected.
          if (store.find(digest).isEmpty() && user.refersTo(digest)) {
            missing.add(digest);
          }
        }
        page = user.references(page.getLast().toString(), PAGE);
      }
    }
    long checked = 0;
    List<Sha256> corrupt = new ArrayList<>();
    try (Stream<BlobStore.Stored> all = store.list()) {
      for (BlobStore.Stored stored : (Iterable<BlobStore.Stored>) all::iterator) {
        Optional<Sha256> actual = rehash(stored.digest());
        if (actual.isPresent()) {
          checked++;
          if (!actual.get().equals(stored.digest())) {
            corrupt.add(stored.digest());
          }
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return new ScrubReport(checked, corrupt, List.copyOf(missing));
  }

  private Optional<Sha256> rehash(Sha256 digest) throws IOException {
    Optional<BlobStore.Blob> blob = store.find(digest);
    if (blob.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream bytes = blob.get().open(0, blob.get().size())) {
      MessageDigest hash = Sha256.newMessageDigest();
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
        hash.update(buffer, 0, count);
      }
      return Optional.of(Sha256.finish(hash));
    } catch (IOException e) {
      // A blob deleted between listing and opening is not damaged.
      if (store.find(digest).isEmpty()) {
        return Optional.empty();
      }
      throw new IOException("cannot read blob " + digest, e);
    }
  }
}
