package dev.nola.api.attestation;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * What came of verifications that were asked for together.
 *
 * @param versions that the request found; those with the same file are verified once
 * @param finished whether none is waiting any more
 * @param backends in alphabetical order
 * @param mismatched {@code namespace/name@version} of versions that a worker got other bits of, at
 *     most 1,000
 */
public record VerificationReport(
    UUID id,
    VerificationRequest request,
    long versions,
    boolean finished,
    List<Backend> backends,
    List<String> mismatched,
    String createdBy,
    Instant createdAt) {
  /** Copies the lists. */
  public VerificationReport {
    backends = List.copyOf(backends);
    mismatched = List.copyOf(mismatched);
  }

  /**
   * Numbers of verifications by one backend.
   *
   * @param waiting for a worker, or being done
   * @param matched including those whose proof no other worker has confirmed yet
   * @param unsupported that workers could not do
   * @param failed or cancelled
   */
  public record Backend(
      String backend, long waiting, long matched, long mismatched, long unsupported, long failed) {}
}
