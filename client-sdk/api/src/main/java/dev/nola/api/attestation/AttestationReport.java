package dev.nola.api.attestation;

import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A report of the verifications that were leased to a worker.
 *
 * @param items 1 to 100 results, each verified by itself
 */
public record AttestationReport(List<Item> items) {
  /** Copies the list. */
  public AttestationReport {
    items = List.copyOf(Objects.requireNonNull(items, "items is missing"));
  }

  /**
   * The result of one job.
   *
   * @param job id of the job
   * @param fence fencing number of its lease
   * @param envelope the attestation, or null if the worker cannot reconstruct this file
   * @param unsupported why it cannot, such as a generator that it does not know; null otherwise
   */
  public record Item(
      UUID job, long fence, @Nullable Envelope envelope, @Nullable String unsupported) {}

  /**
   * The registry's answer.
   *
   * @param verdicts a verdict on each item, in the items' order
   */
  public record Answer(List<Verdict> verdicts) {
    /** Copies the list. */
    public Answer {
      verdicts = List.copyOf(verdicts);
    }
  }

  /**
   * The registry's verdict on an item.
   *
   * @param job id of the job
   * @param accepted whether the job is done with it
   * @param type type of the problem if it was refused, such as {@code lease-lost}, {@code
   *     bad-signature}, {@code wrong-proof}, {@code key-revoked}; else null
   * @param detail text of the problem, or null
   */
  public record Verdict(
      UUID job, boolean accepted, @Nullable String type, @Nullable String detail) {}
}
