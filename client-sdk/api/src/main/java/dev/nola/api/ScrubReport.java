package dev.nola.api;

import dev.nola.digest.Sha256;
import java.util.List;

/**
 * A report of reading every blob.
 *
 * @param checked number of blobs read to their end, damaged ones included
 * @param corrupt digests of those whose bytes have changed
 */
public record ScrubReport(long checked, List<Sha256> corrupt) {
  /** Copies the list. */
  public ScrubReport {
    corrupt = List.copyOf(corrupt);
  }
}
