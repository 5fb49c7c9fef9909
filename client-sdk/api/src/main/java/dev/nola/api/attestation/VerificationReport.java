package dev.nola.api.attestation;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A report of verifications that were requested together. It has eight components because JSON has
 * them side by side.
 *
 * @param id id of the request
 * @param request the request
 * @param versions number of versions that the request found; those with the same file are verified
 *     once
 * @param finished whether none is waiting any more
 * @param backends numbers by backend, in alphabetical order
 * @param mismatched {@code namespace/name@version} of versions that a worker computed different
 *     bits for, at most 1,000
 * @param createdBy account that asked
 * @param createdAt time of the request
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
   * @param backend name of the backend
   * @param waiting number that wait for a worker or are being done
   * @param matched number that match, including those whose proof no other worker has confirmed yet
   * @param mismatched number that do not match
   * @param unsupported number that workers could not do
   * @param failed number that failed or were cancelled
   */
  public record Backend(
      String backend, long waiting, long matched, long mismatched, long unsupported, long failed) {}
}
