package dev.nola.registry.blobs;

import dev.nola.api.ScrubReport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads every blob and compares its bytes with its digest. */
public final class Scrub {

  private static final int BUFFER_BYTES = 64 * 1024;

  private final BlobStore store;

  /**
   * Creates a scrub.
   *
   * @param store whose blobs are checked
   */
  public Scrub(BlobStore store) {
    this.store = store;
  }

  /**
   * Checks the whole store once; changes nothing. Blobs deleted meanwhile are skipped.
   *
   * @return the blobs whose bytes do not have their digest
   * @throws IOException if the store fails or a blob cannot be read, which may be temporary and is
   *     therefore not reported as corruption
   */
  public ScrubReport run() throws IOException {
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
    return new ScrubReport(checked, corrupt);
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
