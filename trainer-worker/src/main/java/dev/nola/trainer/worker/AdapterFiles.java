package dev.nola.trainer.worker;

import dev.nola.api.job.Lease;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** Adapter files to verify; the last ones are kept, for each is verified on several backends. */
final class AdapterFiles {
  /** Largest adapter file that is accepted, in bytes. */
  static final int MAX_BYTES = 64 << 20;

  private static final long MAX_KEPT_BYTES = 64L << 20;

  private final WorkerClient client;
  private final SequencedMap<Sha256, byte[]> kept = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  AdapterFiles(WorkerClient client) {
    this.client = client;
  }

  byte[] get(String adapter, Sha256 digest) throws IOException, InterruptedException {
    synchronized (this) {
      byte[] known = kept.get(digest);
      if (known != null) {
        return known;
      }
    }
    byte[] file = client.adapter(adapter, digest, MAX_BYTES);
    keep(digest, file);
    return file;
  }

  /**
   * Keeps a file that came along with a lease.
   *
   * @throws IOException if it has not the lease's digest
   * @throws IllegalArgumentException if it is not base64
   */
  void keepFile(Lease lease) throws IOException {
    if (lease.file() == null || lease.digest() == null) {
      return;
    }
    byte[] file = Base64.getDecoder().decode(lease.file());
    Sha256 digest = Sha256.hash(file);
    if (!digest.equals(lease.digest())) {
      throw new IOException(
          "the registry sent a file with digest %s instead of %s"
              .formatted(digest, lease.digest()));
    }
    keep(digest, file);
  }

  private synchronized void keep(Sha256 digest, byte[] file) {
    if (kept.putIfAbsent(digest, file) == null) {
      bytes += file.length;
    }
    while (bytes > MAX_KEPT_BYTES) {
      bytes -= kept.pollFirstEntry().getValue().length;
    }
  }
}
