package dev.nola.registry.jobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Embeds small adapter files in leases, each once, up to a total size, so that workers need not
 * download them one by one.
 */
final class SmallFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SmallFiles.class);
  private static final int MAX_FILE = 16 << 10;
  private static final int MAX_ALL = 256 << 10;

  private final BlobReader blobs;
  private final Set<Sha256> seen = new HashSet<>();
  private long size;

  SmallFiles(BlobReader blobs) {
    this.blobs = blobs;
  }

  /** Returns a file in base64, or null if it was embedded before or is too large. */
  @Nullable String once(@Nullable Sha256 digest) {
    if (digest == null || !seen.add(digest)) {
      return null;
    }
    try {
      BlobStore.Blob blob = blobs.get(digest);
      if (blob.size() > Math.min(MAX_FILE, MAX_ALL - size)) {
        return null;
      }
      size += blob.size();
      try (InputStream bytes = blob.open(0, blob.size())) {
        return Base64.getEncoder().encodeToString(bytes.readAllBytes());
      }
    } catch (Refusal _) {
      return null; // the reader has logged it; a download is told why
    } catch (IOException e) {
      LOG.warn("blob {} cannot be read; it is left out of the lease", digest, e);
      return null;
    }
  }
}
