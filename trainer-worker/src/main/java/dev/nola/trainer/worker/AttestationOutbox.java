package dev.nola.trainer.worker;

import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.job.JobRequest;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.text.Label;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Collects attestations, and sends and logs them together. */
final class AttestationOutbox {
  private static final int MAX_ITEMS = 100;
  private static final int MAX_BYTES = 1 << 20;

  private final WorkerClient client;
  private final JobReporter reporter;
  private final List<Verified> verified = new ArrayList<>();
  private int bytes;

  /** A verification that was done. */
  private record Verified(HeldLease held, AttestationReport.Item item, String outcome) {
    String version() {
      JobRequest.Verify verify = held.verification();
      return verify.adapter() + "@" + verify.version();
    }
  }

  /**
   * Creates it.
   *
   * @param client client for short requests
   * @param reporter receives what came of the attestations
   */
  AttestationOutbox(WorkerClient client, JobReporter reporter) {
    this.client = client;
    this.reporter = reporter;
  }

  /** Adds a signed statement. */
  void add(HeldLease held, Envelope envelope, Outcome outcome) {
    add(held, envelope, null, Label.of(outcome));
    bytes += envelope.payload().length();
  }

  /** Adds that this version of nola cannot reconstruct a file, and why. */
  void addUnsupported(HeldLease held, String reason) {
    add(held, null, reason, "unsupported");
  }

  private void add(
      HeldLease held, @Nullable Envelope envelope, @Nullable String reason, String outcome) {
    AttestationReport.Item item =
        new AttestationReport.Item(held.job(), held.fence(), envelope, reason);
    verified.add(new Verified(held, item, outcome));
  }

  boolean isFull() {
    return verified.size() >= MAX_ITEMS || bytes > MAX_BYTES;
  }

  /** Sends what was added, and ends its leases. */
  void send() throws InterruptedException {
    if (verified.isEmpty()) {
      return;
    }
    List<Verified> sent = List.copyOf(verified);
    verified.clear();
    bytes = 0;
    reporter.log(sentence(sent));
    AttestationReport report = new AttestationReport(sent.stream().map(Verified::item).toList());
    try {
      AttestationReport.Answer answer =
          Registry.retry(Registry.MAX_OUTAGE, () -> client.attest(report));
      for (AttestationReport.Verdict verdict : answer.verdicts()) {
        reporter.count(1, verdict.accepted());
        if (!verdict.accepted()) {
          reporter.log(
              "attestation of job %s refused: %s, %s"
                  .formatted(verdict.job(), verdict.type(), verdict.detail()));
        }
      }
    } catch (IOException e) {
      reporter.count(sent.size(), false);
      reporter.log(
          "%s not accepted: %s"
              .formatted(JobReporter.quantity(sent.size(), "attestation"), e.getMessage()));
    } finally {
      sent.forEach(each -> each.held().close());
    }
  }

  /**
   * Returns, say, {@code verified acme/mood@1.0.0 on scalar, vector: match}, or for several
   * versions {@code verified 40 versions on scalar, torch: 79 match, 1 mismatch}.
   */
  private static String sentence(List<Verified> verified) {
    Set<String> versions = new TreeSet<>();
    Set<String> backends = new TreeSet<>();
    Map<String, Integer> outcomes = new TreeMap<>();
    for (Verified each : verified) {
      versions.add(each.version());
      backends.add(each.held().verification().backend());
      outcomes.merge(each.outcome(), 1, Integer::sum);
    }
    boolean one = versions.size() == 1;
    return "verified %s on %s: %s"
        .formatted(
            one ? versions.iterator().next() : versions.size() + " versions",
            String.join(", ", backends),
            one && outcomes.size() == 1
                ? outcomes.keySet().iterator().next()
                : outcomes.entrySet().stream()
                    .map(each -> each.getValue() + " " + each.getKey())
                    .collect(Collectors.joining(", ")));
  }
}
