package dev.nola.api;

import dev.nola.digest.Sha256;
import java.util.List;

/**
 * A report of reading every blob.
 *
 * @param checked number of blobs read to their end, damaged ones included
 * @param corrupt digests of those whose bytes have changed
 * @param missing digests of blobs that something refers to and that are not in the store
 */
public record ScrubReport(long checked, List<Sha256> corrupt, List<Sha256> missing) {
  /** Copies the lists. */
  public ScrubReport {
    corrupt = List.copyOf(corrupt);
    missing = List.copyOf(missing);
  }
}
