package dev.nola.client.lock;

import dev.nola.gpu.CudaBackend;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of checking a lock file.
 *
 * @param results the results of the adapters, in the order of the lock file
 */
public record LockReport(List<Result> results) {
  /** Copies the list. */
  public LockReport {
    results = List.copyOf(results);
  }

  /**
   * The result of checking an adapter.
   *
   * @param entry the adapter's entry in the lock file
   * @param checks in the order in which they were made; after one that failed, those that need it
   *     are missing
   */
  public record Result(LockFile.Entry entry, List<Check> checks) {
    /** Copies the list. */
    public Result {
      checks = List.copyOf(checks);
    }

    /**
     * Tells whether every check passed.
     *
     * @return true if all were made and none failed
     */
    public boolean passed() {
      return checks.stream().allMatch(Check::passed);
    }

    /**
     * Tells whether a check proved that something is wrong.
     *
     * @return true if one was made and did not pass
     */
    public boolean refuted() {
      return checks.stream().anyMatch(Check::refuted);
    }
  }

  /** How a check ended. */
  public enum Outcome {
    /** What was checked is right. */
    PASSED,
    /** It could not be made here, and is not needed: another backend made it. */
    SKIPPED,
    /** What was checked is wrong. */
    FAILED,
    /**
     * It could not be made: the registry did not answer or refused the token, or the memory of the
     * GPU did not suffice and no other backend was asked for.
     */
    ERROR
  }

  /**
   * One check.
   *
   * @param name what was checked
   * @param outcome how the check ended
   * @param reason why it did not pass, or null if it did
   * @param seconds how long it took
   */
  public record Check(String name, Outcome outcome, @Nullable String reason, double seconds) {
    static Check passed(String name) {
      return new Check(name, Outcome.PASSED, null, 0);
    }

    static Check skipped(String name, String reason) {
      return new Check(name, Outcome.SKIPPED, reason, 0);
    }

    static Check failed(String name, String reason) {
      return new Check(name, Outcome.FAILED, reason, 0);
    }

    static Check impossible(String name, String reason) {
      return new Check(name, Outcome.ERROR, reason, 0);
    }

    Check took(double time) {
      return new Check(name, outcome, reason, time);
    }

    /**
     * Tells whether nothing speaks against the adapter.
     *
     * @return true if the check passed or was not needed
     */
    public boolean passed() {
      return outcome == Outcome.PASSED || outcome == Outcome.SKIPPED;
    }

    /**
     * Tells whether the check proved that something is wrong.
     *
     * @return true if it was made and did not pass
     */
    public boolean refuted() {
      return outcome == Outcome.FAILED;
    }
  }

  /**
   * Returns whether the memory of the GPU did not suffice for an adapter that no other backend
   * reconstructed.
   *
   * @return true if there is an error that is not the registry's
   */
  public boolean lacksGpuMemory() {
    return results.stream()
        .flatMap(result -> result.checks().stream())
        .anyMatch(
            check ->
                check.outcome() == Outcome.ERROR
                    && check.name().equals(LockCheck.reconstructedBy(CudaBackend.NAME)));
  }

  /**
   * Returns whether checks could not be made and none failed.
   *
   * @return true if there are errors and no failures
   */
  public boolean hasErrorsOnly() {
    return !passed() && results.stream().noneMatch(Result::refuted);
  }

  /**
   * Tells whether every check of every adapter passed.
   *
   * @return true if all were made and none failed
   */
  public boolean passed() {
    return results.stream().allMatch(Result::passed);
  }
}
