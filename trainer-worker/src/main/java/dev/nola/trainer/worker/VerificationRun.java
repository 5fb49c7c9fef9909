package dev.nola.trainer.worker;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.attestation.Statement;
import dev.nola.api.job.JobRequest;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.LimitExceededException;
import dev.nola.gpu.CudaException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Verifications that a slot has taken together, and reports together. A file that may take long or
 * much memory is reconstructed by a process of its own, after what is done was reported.
 */
final class VerificationRun {
  private static final Duration TIMEOUT = Duration.ofHours(2);

  private final AdapterFiles adapters;
  private final Verifier verifier;
  private final SigningKey key;
  private final TaskLauncher tasks;
  private final JobReporter reporter;
  private final AttestationOutbox outbox;

  /** The file that was read last: the jobs of one file follow each other. */
  private @Nullable ReadFile last;

  private record ReadFile(Sha256 digest, AdapterFile file) {}

  /**
   * Creates a run.
   *
   * @param adapters files to verify
   * @param verifier reconstructs small files
   * @param key key to sign attestations with
   * @param tasks starts processes for large files
   * @param reporter receives failures
   * @param outbox sends attestations
   */
  VerificationRun(
      AdapterFiles adapters,
      Verifier verifier,
      SigningKey key,
      TaskLauncher tasks,
      JobReporter reporter,
      AttestationOutbox outbox) {
    this.adapters = adapters;
    this.verifier = verifier;
    this.key = key;
    this.tasks = tasks;
    this.reporter = reporter;
    this.outbox = outbox;
  }

  /**
   * Verifies and reports. Interrupted, it gives back what it has not begun.
   *
   * @param leases verifications to do
   */
  void run(List<HeldLease> leases) {
    int next = 0;
    try {
      keepFiles(leases);
      for (; next < leases.size(); next++) {
        if (Thread.interrupted()) {
          throw new InterruptedException("the worker is stopped");
        }
        verify(leases.get(next));
        if (outbox.isFull()) {
          outbox.send();
        }
      }
      outbox.send();
    } catch (InterruptedException _) {
      leases.subList(next, leases.size()).forEach(reporter::giveBack);
    }
  }

  private void keepFiles(List<HeldLease> leases) {
    for (HeldLease held : leases) {
      try {
        adapters.keepFile(held.lease());
      } catch (IOException | IllegalArgumentException e) {
        reporter.log(held, "downloading its file: " + e.getMessage());
      }
    }
  }

  private void verify(HeldLease held) throws InterruptedException {
    switch (held.state()) {
      case LOST -> {
        return;
      }
      case CANCELLED -> {
        reporter.cancel(held);
        return;
      }
      case HELD -> {}
    }
    String backend = held.verification().backend();
    if (!verifier.has(backend)) {
      // The GPU failed after this job was leased.
      reporter.fail(held, Verifier.missing(backend), true);
      return;
    }
    try {
      Reconstruction result = reconstruct(held);
      if (result != null) {
        attest(held, result);
      }
    } catch (Verifier.UnsupportedException e) {
      outbox.addUnsupported(held, String.valueOf(e.getMessage()));
    } catch (AdapterException e) {
      reporter.fail(held, String.valueOf(e.getMessage()), false);
    } catch (IOException e) {
      reporter.fail(held, String.valueOf(e.getMessage()), !Registry.isRefusal(e));
    } catch (CudaException e) {
      if (verifier.isLost(e)) {
        reporter.log(
            held,
            "backend cuda is off after a failure of the GPU; check it with nvidia-smi, and restart the worker");
      }
      reporter.fail(held, String.valueOf(e.getMessage()), true);
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      // Whatever this file causes, the next one is another.
      reporter.failWithDefect(held, e);
    }
  }

  /** Returns null if the file was not reconstructed, which is reported already. */
  private @Nullable Reconstruction reconstruct(HeldLease held)
      throws IOException, InterruptedException, Verifier.UnsupportedException {
    JobRequest.Verify verify = held.verification();
    Sha256 digest = digest(held);
    Nonce nonce = Objects.requireNonNull(held.lease().nonce(), "nonce");
    try {
      return verifier.reconstruct(read(verify, digest), verify.backend(), nonce);
    } catch (LimitExceededException _) {
      outbox.send();
      byte[] file = adapters.get(verify.adapter(), digest);
      Task task = new Task.Verify(verify.backend(), nonce, tasks.worker(), tasks.memoryBytes());
      return reconstructInProcess(held, file, task);
    }
  }

  private void attest(HeldLease held, Reconstruction result) {
    if (result.outcome() == Outcome.MISMATCH) {
      JobRequest.Verify verify = held.verification();
      reporter.log(
          held,
          "MISMATCH: %s %s reconstructs to %s on %s; first difference: %s"
              .formatted(
                  verify.adapter(),
                  verify.version(),
                  result.root().hex(),
                  verify.backend(),
                  result.difference()));
    }
    outbox.add(held, key.sign(new Statement(digest(held), result)), result.outcome());
  }

  private static Sha256 digest(HeldLease held) {
    return Objects.requireNonNull(held.lease().digest(), "digest");
  }

  private AdapterFile read(JobRequest.Verify verify, Sha256 digest)
      throws IOException, InterruptedException, Verifier.UnsupportedException {
    ReadFile known = last;
    if (known != null && known.digest().equals(digest)) {
      return known.file();
    }
    last = null;
    AdapterFile file = Verifier.read(adapters.get(verify.adapter(), digest));
    last = new ReadFile(digest, file);
    return file;
  }

  /** Returns null if the process has not reconstructed the file, which is reported already. */
  private @Nullable Reconstruction reconstructInProcess(HeldLease held, byte[] file, Task task)
      throws IOException, InterruptedException {
    TaskFolder folder = tasks.newFolder(held);
    Thread slot = Thread.currentThread();
    try {
      Files.createDirectories(folder.path());
      Files.write(folder.adapter(), file);
      held.whenOver(slot::interrupt);
      ChildProcess.Ending ending =
          tasks.run(folder, task, tasks.memoryBytes(), TIMEOUT, event -> logOf(held, event));
      String reason = ending.reason();
      if (reason == null) {
        return JsonMapper.shared()
            .readValue(Files.readAllBytes(folder.reconstruction()), Reconstruction.class);
      }
      if (ending.unsupported()) {
        outbox.addUnsupported(held, reason);
      } else {
        reporter.fail(held, reason, ending.retryable());
      }
      return null;
    } catch (InterruptedException e) {
      switch (held.state()) {
        case HELD -> throw e;
        case CANCELLED -> reporter.cancel(held);
        case LOST -> reporter.logLost(held);
      }
      return null;
    } finally {
      held.whenOver(() -> {});
      tasks.delete(folder);
    }
  }

  private static void logOf(HeldLease held, TaskEvent event) {
    if (event instanceof TaskEvent.Log log) {
      held.log(log.line());
    }
  }
}
