package dev.nola.registry.jobs;

import dev.nola.api.job.JobType;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of leases, retries and the retention of jobs.
 *
 * @param lease for which a job belongs to a worker, from each heartbeat on
 * @param maxAttempts leases that a job is given before it has failed
 * @param backoff before the second attempt after a failure; doubles with each further one
 * @param maxBackoff limit of that
 * @param retention of an ended job's events, checkpoint and kept result
 */
@ConfigurationProperties("nola.jobs")
record JobSettings(
    @DefaultValue("30s") Duration lease,
    @DefaultValue("3") int maxAttempts,
    @DefaultValue("5s") Duration backoff,
    @DefaultValue("5m") Duration maxBackoff,
    @DefaultValue("30d") Duration retention) {
  private static final Duration MIN_LEASE = Duration.ofSeconds(1);

  /** A cancelled training stops within 5 seconds: it learns of it with the next heartbeat. */
  private static final long QUICK_HEARTBEAT = 2;

  JobSettings {
    if (lease.compareTo(MIN_LEASE) < 0) {
      throw new IllegalArgumentException(
          "invalid nola.jobs.lease: " + lease + "; must be 1s or more");
    }
    if (maxAttempts < 1) {
      throw new IllegalArgumentException(
          "invalid nola.jobs.max-attempts: " + maxAttempts + "; must be positive");
    }
    requirePositive("backoff", backoff);
    requirePositive("max-backoff", maxBackoff);
    requirePositive("retention", retention);
  }

  /**
   * Requires that a duration is positive.
   *
   * @param key of the setting after {@code nola.jobs.}
   * @throws IllegalArgumentException if it is not
   */
  static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(
          "invalid nola.jobs." + key + ": " + value + "; must be positive");
    }
  }

  /** Returns seconds as PostgreSQL's make_interval takes it. */
  static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  /** Returns how often a worker must send a heartbeat, in seconds. */
  int heartbeatSeconds(JobType type) {
    long third = Math.max(1, lease.toSeconds() / 3);
    return (int) (type == JobType.VERIFY ? third : Math.min(third, QUICK_HEARTBEAT));
  }
}
