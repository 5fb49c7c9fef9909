package dev.nola.registry.jobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.blobs.BlobStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adapter files that go along with an answer, so that nobody needs to ask for each: the small ones,
 * each once, as long as they are not too many together.
 */
final class SmallFiles {
  private static final Logger LOG = LoggerFactory.getLogger(SmallFiles.class);
  private static final int MAX_FILE = 16 << 10;
  private static final int MAX_ALL = 256 << 10;

  private final BlobStore blobs;
  private final Set<String> seen = new HashSet<>();
  private long size;

  SmallFiles(BlobStore blobs) {
    this.blobs = blobs;
  }

  /** Base64 of a file, or null if it went along before or does not. */
  @Nullable String once(@Nullable String digest) {
    if (digest == null || !seen.add(digest)) {
      return null;
    }
    try {
      Optional<BlobStore.Blob> blob = blobs.find(Sha256.parse(digest));
      if (blob.isEmpty() || blob.get().size() > Math.min(MAX_FILE, MAX_ALL - size)) {
        return null;
      }
      size += blob.get().size();
      try (InputStream bytes = blob.get().open(0, blob.get().size())) {
        return Base64.getEncoder().encodeToString(bytes.readAllBytes());
      }
    } catch (IOException e) {
      LOG.warn("blob {} cannot be read; it is left out of the lease", digest, e);
      return null;
    }
  }
}
