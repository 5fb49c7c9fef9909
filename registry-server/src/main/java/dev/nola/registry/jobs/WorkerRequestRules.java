package dev.nola.registry.jobs;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.LeaseRequest;
import dev.nola.registry.web.Refusal;
import dev.nola.text.Printable;

/** Limits on the requests of workers. */
final class WorkerRequestRules {
  private static final int MAX_LEASES = 100;
  private static final int MAX_WAIT = 30;
  private static final int MAX_LISTED = 1_000;
  private static final int MAX_NAME = 100;
  private static final int MAX_LINES = 200;
  private static final int MAX_LINE = 2_000;
  private static final int MAX_METRICS = 1_000;
  private static final int MAX_METRIC_NAME = 100;

  private WorkerRequestRules() {}

  /**
   * Requires that a request for jobs is within the limits.
   *
   * @throws Refusal with status 422 if it is not
   */
  static void require(LeaseRequest request) {
    requireRange("max", request.max(), 1, MAX_LEASES);
    requireRange("waitSeconds", request.waitSeconds(), 0, MAX_WAIT);
    requireRange("worker", request.worker().length(), 1, MAX_NAME);
    if (request.worker().codePoints().anyMatch(Printable::isControl)) {
      throw Refusal.invalid(
          "worker",
          "worker contains control characters; must be printable: "
              + Printable.line(request.worker()));
    }
    if (request.instance() != null) {
      requireRange("instance", request.instance().length(), 1, MAX_NAME);
    }
    requireRange("key", request.key().length(), 0, MAX_NAME);
    requireRange("backends", request.backends().size(), 0, MAX_LISTED);
    requireRange("models", request.models().size(), 0, MAX_LISTED);
  }

  /**
   * Requires that a heartbeat is within the limits.
   *
   * @throws Refusal with status 422 if it is not
   */
  static void require(Heartbeat report) {
    requireRange("log", report.log().size(), 0, MAX_LINES);
    for (String line : report.log()) {
      requireRange("log", line.length(), 0, MAX_LINE);
    }
    requireRange("metrics", report.metrics().size(), 0, MAX_METRICS);
    for (Heartbeat.Metric metric : report.metrics()) {
      requireRange("metrics.name", metric.name().length(), 1, MAX_METRIC_NAME);
    }
  }

  private static void requireRange(String field, int value, int min, int max) {
    if (value < min || value > max) {
      throw Refusal.invalid(
          field, "invalid %s: %d; must be %d to %d".formatted(field, value, min, max));
    }
  }
}
