package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;

/** The bytes of a future or stored blob: an upload that is not committed yet, or a blob. */
public interface BlobContent {
  /**
   * Returns the digest of the bytes.
   *
   * @return the address of the blob
   */
  Sha256 digest();

  /**
   * Returns the number of bytes.
   *
   * @return the size in bytes
   */
  long size();

  /**
   * Reads the bytes from their beginning. The caller closes the stream.
   *
   * @return all bytes
   * @throws IOException if they cannot be read
   */
  InputStream open() throws IOException;

  /**
   * Makes sure that the blob is in the store and that garbage collection spares it for its whole
   * grace period, so that a reference to it can be recorded by a transaction that starts later and
   * {@link BlobReferences#hold holds} it.
   *
   * @throws IOException if it is not certain that the blob is in the store
   */
  void keep() throws IOException;

  /**
   * Returns the content of an upload, which {@link #keep()} commits.
   *
   * @param upload to which all bytes were written
   * @return its content; valid until the upload is closed
   */
  static BlobContent of(BlobStore.Upload upload) {
    return new Uploaded(upload);
  }

  /**
   * Returns the content of a stored blob.
   *
   * @param store that has the blob
   * @param digest of the blob
   * @param blob as it was found
   * @return its content
   */
  static BlobContent of(BlobStore store, Sha256 digest, BlobStore.Blob blob) {
    return new Stored(store, digest, blob);
  }

  /**
   * The content of an upload.
   *
   * @param upload to which all bytes were written
   */
  record Uploaded(BlobStore.Upload upload) implements BlobContent {
    @Override
    public Sha256 digest() {
      return upload.digest();
    }

    @Override
    public long size() {
      return upload.size();
    }

    @Override
    public InputStream open() throws IOException {
      return upload.open();
    }

    @Override
    public void keep() throws IOException {
      upload.commit();
    }
  }

  /**
   * The content of a stored blob.
   *
   * @param store that has the blob
   * @param digest of the blob
   * @param blob as it was found
   */
  record Stored(BlobStore store, Sha256 digest, BlobStore.Blob blob) implements BlobContent {
    @Override
    public long size() {
      return blob.size();
    }

    @Override
    public InputStream open() throws IOException {
      return blob.open(0, blob.size());
    }

    @Override
    public void keep() throws IOException {
      if (!store.renew(digest)) {
        throw new IOException("blob not in the store: " + digest);
      }
    }
  }
}
