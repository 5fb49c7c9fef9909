package dev.nola.client.lock;

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

  /**
   * One check.
   *
   * @param name what was checked
   * @param failure why it failed, or null if it passed
   * @param error whether it could not be made, because the registry did not answer or refused the
   *     token
   * @param seconds how long it took
   */
  public record Check(String name, @Nullable String failure, boolean error, double seconds) {
    static Check passed(String name) {
      return new Check(name, null, false, 0);
    }

    static Check failed(String name, String failure) {
      return new Check(name, failure, false, 0);
    }

    static Check impossible(String name, String reason) {
      return new Check(name, reason, true, 0);
    }

    Check took(double time) {
      return new Check(name, failure, error, time);
    }

    /**
     * Tells whether the check passed.
     *
     * @return true if it did
     */
    public boolean passed() {
      return failure == null;
    }

    /**
     * Tells whether the check proved that something is wrong.
     *
     * @return true if it was made and did not pass
     */
    public boolean refuted() {
      return failure != null && !error;
    }
  }

  /**
   * Returns whether checks could not be made, because the registry did not answer or refused the
   * token, and none failed.
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
