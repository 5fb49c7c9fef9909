package dev.nola.registry.blobs;

import dev.nola.format.Sha256;
import java.util.List;

/**
 * What a {@link Scrub} found.
 *
 * @param checked the number of blobs read to their end, corrupt ones included
 * @param corrupt those whose bytes no longer have the digest they are stored under
 */
record ScrubReport(long checked, List<Sha256> corrupt) {

  ScrubReport {
    corrupt = List.copyOf(corrupt);
  }
}
