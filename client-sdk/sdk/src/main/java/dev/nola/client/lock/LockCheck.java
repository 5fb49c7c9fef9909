package dev.nola.client.lock;

import dev.nola.client.RegistryException;
import dev.nola.client.attestation.Attested;
import dev.nola.client.lock.LockReport.Check;
import dev.nola.client.lock.LockReport.Result;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaException;
import dev.nola.reconstruct.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Proves that the adapters of a lock file are what they were: the same bytes, which reconstruct to
 * the same bits by every backend at hand, attested by as many machines as the lock demands.
 */
public final class LockCheck {
  /** The type of a registry's refusal to send bytes other than those of the digest. */
  private static final String DAMAGED = "urn:nola:problem:damaged-blob";

  private final Source source;
  private final List<Backend> backends;
  private final boolean allowYanked;

  /**
   * An adapter as its source has it now.
   *
   * @param bytes the file's bytes
   * @param yanked why the version should no longer be used, or null
   */
  public record Fetched(byte[] bytes, @Nullable String yanked) {}

  /** Where adapters come from. */
  public interface Source {
    /**
     * Fetches an adapter again.
     *
     * @param entry the lock file's entry
     * @return the adapter as it is now
     * @throws IOException if it cannot be fetched
     * @throws InterruptedException if the thread is interrupted
     */
    Fetched fetch(LockFile.Entry entry) throws IOException, InterruptedException;

    /**
     * Returns the checked attestations of a file, counting only the keys that the entry lists, if
     * any. Called only for entries that require attestations.
     *
     * @param entry the lock file's entry
     * @param file the adapter
     * @return the checked attestations
     */
    Attested attested(LockFile.Entry entry, AdapterFile file)
        throws IOException, InterruptedException;
  }

  /**
   * Creates a check.
   *
   * @param source supplies adapters and attestations
   * @param backends at least one, such as {@link CrossCheck#ofCpu}
   * @param allowYanked true to accept versions that were yanked
   */
  public LockCheck(Source source, List<Backend> backends, boolean allowYanked) {
    this.source = source;
    this.backends = List.copyOf(backends);
    this.allowYanked = allowYanked;
  }

  /**
   * Checks every adapter; one that fails, or is too large for the only backend, a GPU, does not
   * keep the others from being checked.
   *
   * @param lock the lock file
   * @return the result of each adapter
   * @throws CudaException if the GPU fails and no other backend reconstructs the adapter
   */
  public LockReport run(LockFile lock) throws InterruptedException {
    List<Result> results = new ArrayList<>();
    for (LockFile.Entry entry : lock.adapters()) {
      results.add(new Result(entry, check(entry)));
    }
    return new LockReport(results);
  }

  private List<Check> check(LockFile.Entry entry) throws InterruptedException {
    Timed checks = new Timed();
    byte[] bytes;
    try {
      Fetched fetched = source.fetch(entry);
      bytes = fetched.bytes();
      checks.add(Check.passed("fetch"));
      if (entry.registry() != null) {
        checks.add(notYanked(fetched));
      }
    } catch (IOException e) {
      checks.add(failed("fetch", e));
      return checks.list;
    }
    checks.add(compare("file digest", entry.digest(), Sha256.hash(bytes)));
    try {
      AdapterFile file = AdapterFile.read(bytes);
      reconstruct(entry, file, checks);
      if (entry.requiredVerifications() > 0) {
        checks.add(attestations(entry, file));
      }
    } catch (AdapterException e) {
      checks.add(Check.failed("read", message(e)));
    }
    return checks.list;
  }

  /** Checks with the time that each took: from the end of the one before. */
  private static final class Timed {
    private static final double NANOS = 1e9;

    private final List<Check> list = new ArrayList<>();
    private long last = System.nanoTime();

    void add(Check check) {
      long now = System.nanoTime();
      list.add(check.took((now - last) / NANOS));
      last = now;
    }

    void restart() {
      last = System.nanoTime();
    }
  }

  private void reconstruct(LockFile.Entry entry, AdapterFile file, Timed checks)
      throws AdapterException {
    checks.add(
        compare(
            "declared reconstruction digest",
            entry.reconstructionDigest(),
            file.reconstructionDigest()));
    CrossCheck crossCheck;
    try {
      crossCheck = CrossCheck.of(file, backends);
    } catch (CudaException e) {
      if (e.reason() != CudaException.Reason.OUT_OF_MEMORY) {
        throw e;
      }
      // This adapter is too large for the GPU; others need not be.
      checks.add(
          Check.impossible(reconstructedBy(CudaBackend.NAME), String.valueOf(e.getMessage())));
      return;
    }
    crossCheck
        .failures()
        .forEach(
            failure ->
                checks.list.add(
                    Check.skipped(
                        reconstructedBy(CudaBackend.NAME), String.valueOf(failure.getMessage()))));
    crossCheck
        .digests()
        .forEach(
            (backend, digest) ->
                checks.list.add(
                    compare(reconstructedBy(backend), entry.reconstructionDigest(), digest)
                        .took(crossCheck.seconds().getOrDefault(backend, 0.0))));
    checks.restart();
    if (crossCheck.digests().size() > 1) {
      checks.add(
          crossCheck.agrees()
              ? Check.passed("backends agree")
              : Check.failed("backends agree", differences(crossCheck)));
    }
  }

  /** Returns the name of the check of a backend's digest. */
  static String reconstructedBy(String backend) {
    return "reconstructed by " + backend;
  }

  private static String differences(CrossCheck crossCheck) {
    return Stream.concat(
            crossCheck.differences().stream().map(CrossCheck.Difference::toString),
            crossCheck.unread().stream()
                .map(failure -> "elements that differ not found: " + failure.getMessage()))
        .collect(Collectors.joining("\n"));
  }

  private Check attestations(LockFile.Entry entry, AdapterFile file) throws InterruptedException {
    String name = "attested by " + entry.requiredVerifications();
    try {
      List<String> failures = source.attested(entry, file).failures(entry.requiredVerifications());
      return failures.isEmpty()
          ? Check.passed(name)
          : Check.failed(name, String.join("\n", failures));
    } catch (IOException e) {
      return failed(name, e);
    }
  }

  /**
   * A registry that cannot be reached, or refuses the token, proves nothing, for or against; one
   * that says that its bytes are damaged fails the check.
   */
  private static Check failed(String name, IOException failure) {
    return failure instanceof RegistryException refused
            && (refused.kind() == RegistryException.Kind.UNAVAILABLE
                || refused.kind() == RegistryException.Kind.NOT_ALLOWED)
            && (refused.problem() == null || !refused.problem().type().equals(DAMAGED))
        ? Check.impossible(name, message(failure))
        : Check.failed(name, message(failure));
  }

  private Check notYanked(Fetched fetched) {
    String name = "not yanked";
    return fetched.yanked() == null || allowYanked
        ? Check.passed(fetched.yanked() == null ? name : "yanked, which is allowed")
        : Check.failed(name, "the version was yanked: " + fetched.yanked());
  }

  private static Check compare(String name, Sha256 expected, Sha256 actual) {
    return expected.equals(actual)
        ? Check.passed(name)
        : Check.failed(name, "expected=" + expected + " actual=" + actual);
  }

  private static String message(Exception failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
