package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import org.springframework.core.io.AbstractResource;
import org.springframework.core.io.InputStreamResource;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;

/** Turns blobs into response bodies of Spring. */
public final class BlobResponses {
  private BlobResponses() {}

  /**
   * Returns the response with all bytes of a blob, whose digest is the entity tag.
   *
   * @param blobs reads it
   * @param digest of the blob
   * @param cacheControl value of the header
   * @return the response
   * @throws dev.nola.registry.web.Refusal with status 500 if the blob is missing or damaged
   * @throws IOException if the blob cannot be read
   */
  public static ResponseEntity<Resource> of(BlobReader blobs, Sha256 digest, String cacheControl)
      throws IOException {
    BlobStore.Blob blob = blobs.get(digest);
    return ResponseEntity.ok()
        .contentType(MediaType.APPLICATION_OCTET_STREAM)
        .contentLength(blob.size())
        .header(HttpHeaders.ETAG, '"' + digest.toString() + '"')
        .header(HttpHeaders.CACHE_CONTROL, cacheControl)
        .body(whole(blob));
  }

  /**
   * Returns all bytes of a blob. Spring ignores a {@code Range} header for them, so that the
   * endpoint decides about ranges.
   *
   * @param blob to send
   * @return a body that opens the blob when it is sent
   */
  public static Resource whole(BlobStore.Blob blob) {
    return new InputStreamResource(() -> blob.open(0, blob.size()), "a blob");
  }

  /**
   * Returns a blob of which Spring sends the range that the {@code Range} header names.
   *
   * @param blob to send
   * @return a body that opens the blob when it is sent
   */
  public static Resource ranged(BlobStore.Blob blob) {
    return new BlobResource(blob);
  }

  private static final class BlobResource extends AbstractResource {
    private final BlobStore.Blob blob;

    BlobResource(BlobStore.Blob blob) {
      this.blob = blob;
    }

    @Override
    public String getDescription() {
      return "a blob";
    }

    @Override
    public boolean exists() {
      return true;
    }

    @Override
    public long contentLength() {
      return blob.size();
    }

    @Override
    public InputStream getInputStream() throws IOException {
      return blob.open(0, blob.size());
    }
  }
}
