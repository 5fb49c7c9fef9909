package dev.nola.api;

import dev.nola.digest.Sha256;
import java.util.List;

/**
 * What reading every blob has shown.
 *
 * @param checked blobs read to their end, damaged ones included
 * @param corrupt digests of those whose bytes are no longer what they were
 */
public record ScrubReport(long checked, List<Sha256> corrupt) {
  /** Copies the list. */
  public ScrubReport {
    corrupt = List.copyOf(corrupt);
  }
}
