package dev.nola.api;

import java.util.List;

/**
 * A count of the workers that attest a version's bits.
 *
 * @param independent number of independent machines: the smaller of the numbers of different keys
 *     and of different hosts among the attestations that count and match
 * @param backends backends that these used, in alphabetical order
 * @param mismatches number of attestations that count and report different bits
 * @param self whether the registry itself reconstructed the version; not counted above
 */
public record Attestations(int independent, List<String> backends, int mismatches, boolean self) {
  /** Copies the list. */
  public Attestations {
    backends = List.copyOf(backends);
  }
}
