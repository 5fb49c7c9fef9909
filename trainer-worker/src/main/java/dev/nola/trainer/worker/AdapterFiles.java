package dev.nola.trainer.worker;

import dev.nola.api.job.Lease;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** Adapter files to verify; the last ones are kept, for each is verified by several backends. */
final class AdapterFiles {
  private static final long KEPT = 64L << 20;

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
    byte[] file = client.adapter(adapter, digest, FileJob.MAX_ADAPTER);
    keep(digest, file);
    return file;
  }

  /**
   * Keeps a file that came along with a lease.
   *
   * @throws IOException if it is not the lease's
   */
  void offer(Lease lease) throws IOException {
    if (lease.file() == null || lease.digest() == null) {
      return;
    }
    byte[] file = Base64.getDecoder().decode(lease.file());
    Sha256 digest = Sha256.hash(file);
    if (!digest.equals(lease.digest())) {
      throw new IOException(
          "the registry sends a file with digest %s for %s".formatted(digest, lease.digest()));
    }
    keep(digest, file);
  }

  private synchronized void keep(Sha256 digest, byte[] file) {
    if (kept.putIfAbsent(digest, file) == null) {
      bytes += file.length;
    }
    while (bytes > KEPT) {
      bytes -= kept.pollFirstEntry().getValue().length;
    }
  }
}
