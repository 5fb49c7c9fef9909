package dev.nola.api;

import java.util.List;

/**
 * How many attest that a version reconstructs to the bits that its file names.
 *
 * @param independent machines: the smaller of the numbers of different keys and of different hosts
 *     among the attestations that count and match
 * @param backends by which these reconstructed it, in alphabetical order
 * @param mismatches attestations that count and say that it has other bits
 * @param self whether the registry itself reconstructed it, which is not counted above
 */
public record Attestations(int independent, List<String> backends, int mismatches, boolean self) {
  /** Copies the list. */
  public Attestations {
    backends = List.copyOf(backends);
  }
}
