package dev.nola.trainer.worker;

import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.Statement;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.Lease;
import dev.nola.client.RegistryException;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Verifications that a slot was given together, and reports together. A file that may take long or
 * much memory is reconstructed by a process of its own, after what is done was reported.
 */
final class VerificationBatch {
  /** Items and bytes of a report at most. */
  private static final int MAX_ITEMS = 100;

  private static final int MAX_BYTES = 1 << 20;
  private static final Duration TIME = Duration.ofHours(2);

  private final Worker worker;
  private final List<HeldLease> all;
  private final List<AttestationReport.Item> done = new ArrayList<>();
  private final List<Verified> verified = new ArrayList<>();
  private int bytes;

  /** What was read last: the jobs of one file follow each other. */
  private @Nullable Read last;

  private record Read(Sha256 digest, AdapterFile file) {}

  /** What came of one of them, for the log. */
  private record Verified(String version, String backend, String outcome) {}

  VerificationBatch(Worker worker, List<HeldLease> all) {
    this.worker = worker;
    this.all = all;
  }

  /** Verifies and reports. Interrupted, it gives back what it has not begun. */
  void run() {
    int next = 0;
    try {
      offerFiles();
      for (; next < all.size(); next++) {
        if (Thread.interrupted()) {
          throw new InterruptedException("the worker is stopped");
        }
        one(all.get(next));
        if (done.size() >= MAX_ITEMS || bytes > MAX_BYTES) {
          report();
        }
      }
      report();
    } catch (InterruptedException _) {
      for (; next < all.size(); next++) {
        HeldLease held = all.get(next);
        worker.fail(held, new JobFailure(held.fence(), "the worker was stopped", true));
      }
    }
  }

  private void offerFiles() {
    for (HeldLease held : all) {
      try {
        worker.adapters().offer(held.lease());
      } catch (IOException | IllegalArgumentException e) {
        worker.log(held, "its file is downloaded: " + e.getMessage());
      }
    }
  }

  private void one(HeldLease held) throws InterruptedException {
    switch (held.state()) {
      case LOST -> {
        return;
      }
      case CANCELLED -> {
        worker.fail(held, new JobFailure(held.fence(), "cancelled", false));
        return;
      }
      case HELD -> {}
    }
    try {
      verify(held);
    } catch (Verification.UnsupportedException e) {
      add(held, null, String.valueOf(e.getMessage()));
      note(held, "unsupported");
    } catch (AdapterException e) {
      worker.fail(held, new JobFailure(held.fence(), String.valueOf(e.getMessage()), false));
    } catch (IOException e) {
      boolean refused = e instanceof RegistryException && !Registry.isOutOfReach(e);
      worker.fail(held, new JobFailure(held.fence(), String.valueOf(e.getMessage()), !refused));
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      // Whatever a file makes go wrong, the next one is another.
      worker.report("job " + held.job(), e);
      worker.fail(held, new JobFailure(held.fence(), "error in the worker: " + e, true));
    }
  }

  private void verify(HeldLease held)
      throws IOException, InterruptedException, Verification.UnsupportedException {
    Lease lease = held.lease();
    JobRequest.Verify verify = verification(held);
    Sha256 digest = Objects.requireNonNull(lease.digest(), "digest");
    String nonce = Objects.requireNonNull(lease.nonce(), "nonce").hex();
    Reconstruction result;
    try {
      result = worker.verification().of(read(verify, digest), verify.backend(), nonce);
    } catch (LimitExceededException _) {
      report();
      byte[] file = worker.adapters().get(verify.adapter(), digest);
      result = apart(held, file, verify.backend(), nonce);
    }
    if (result != null) {
      if (result.outcome() == Outcome.MISMATCH) {
        worker.log(
            held,
            "MISMATCH: %s %s reconstructs to %s by %s; first difference: %s"
                .formatted(
                    verify.adapter(),
                    verify.version(),
                    result.root(),
                    verify.backend(),
                    result.difference()));
      }
      add(held, worker.key().sign(new Statement(digest, result)), null);
      note(held, result.outcome().name().toLowerCase(Locale.ROOT));
    }
  }

  private AdapterFile read(JobRequest.Verify verify, Sha256 digest)
      throws IOException, InterruptedException, Verification.UnsupportedException {
    Read known = last;
    if (known != null && known.digest().equals(digest)) {
      return known.file();
    }
    last = null;
    AdapterFile file = Verification.read(worker.adapters().get(verify.adapter(), digest));
    last = new Read(digest, file);
    return file;
  }

  private void add(HeldLease held, @Nullable Envelope envelope, @Nullable String unsupported) {
    done.add(new AttestationReport.Item(held.job(), held.fence(), envelope, unsupported));
    bytes += envelope == null ? 0 : envelope.payload().length();
  }

  private void note(HeldLease held, String outcome) {
    JobRequest.Verify verify = verification(held);
    verified.add(
        new Verified(verify.adapter() + "@" + verify.version(), verify.backend(), outcome));
  }

  private static JobRequest.Verify verification(HeldLease held) {
    return (JobRequest.Verify) held.lease().job().request().work();
  }

  /**
   * Such as {@code verified acme/mood@1.0.0 on scalar, vector: match}, or of several {@code
   * verified 40 versions on scalar, torch: 79 match, 1 mismatch}.
   */
  private static String sentence(List<Verified> verified) {
    Set<String> versions = new TreeSet<>();
    Set<String> backends = new TreeSet<>();
    Map<String, Integer> outcomes = new TreeMap<>();
    for (Verified each : verified) {
      versions.add(each.version());
      backends.add(each.backend());
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

  /** Reconstructs in a process of its own; null if that was reported already. */
  private @Nullable Reconstruction apart(HeldLease held, byte[] file, String backend, String nonce)
      throws IOException, InterruptedException {
    Path folder = worker.newFolder(held);
    Thread slot = Thread.currentThread();
    try {
      Files.createDirectories(folder);
      Files.write(folder.resolve(Task.ADAPTER), file);
      long memory = worker.settings().memoryBytes();
      new Task(Task.What.VERIFY, null, false, backend, nonce, worker.settings().name(), memory)
          .write(folder);
      ChildProcess.Limits limits =
          new ChildProcess.Limits(memory, worker.settings().diskBytes(), TIME);
      held.whenOver(slot::interrupt);
      try (ChildProcess process =
          new ChildProcess(folder, limits, event -> held.log(String.valueOf(event.reason())))) {
        ChildProcess.Ending ending = process.await();
        String reason = ending.reason();
        if (reason == null) {
          return JsonMapper.shared()
              .readValue(
                  Files.readAllBytes(folder.resolve(Task.RECONSTRUCTION)), Reconstruction.class);
        }
        if (ending.unsupported()) {
          add(held, null, reason);
          note(held, "unsupported");
        } else {
          worker.fail(held, new JobFailure(held.fence(), reason, ending.retryable()));
        }
        return null;
      }
    } catch (InterruptedException e) {
      switch (held.state()) {
        case HELD -> throw e;
        case CANCELLED -> worker.fail(held, new JobFailure(held.fence(), "cancelled", false));
        case LOST -> worker.log(held, "lost: somebody else has it now");
      }
      return null;
    } finally {
      held.whenOver(() -> {});
      worker.remove(folder);
    }
  }

  private void report() throws InterruptedException {
    if (done.isEmpty()) {
      return;
    }
    AttestationReport report = new AttestationReport(done);
    worker.log(sentence(verified));
    done.clear();
    verified.clear();
    bytes = 0;
    try {
      AttestationReport.Answer answer =
          Registry.persist(worker.patience(), () -> worker.registry().words().attest(report));
      for (AttestationReport.Verdict verdict : answer.verdicts()) {
        worker.tally().addResults(1, verdict.accepted());
        if (!verdict.accepted()) {
          worker.log(
              "attestation of job %s refused: %s, %s"
                  .formatted(verdict.job(), verdict.type(), verdict.detail()));
        }
      }
    } catch (IOException e) {
      worker.tally().addResults(report.items().size(), false);
      worker.log(
          "not taken, %s: %s"
              .formatted(Worker.count(report.items().size(), "attestation"), e.getMessage()));
    } finally {
      List<UUID> reported = report.items().stream().map(AttestationReport.Item::job).toList();
      all.stream().filter(held -> reported.contains(held.job())).forEach(HeldLease::close);
    }
  }
}
