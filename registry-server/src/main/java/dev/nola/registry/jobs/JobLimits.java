package dev.nola.registry.jobs;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Limits on the resources of jobs.
 *
 * @param memory that a training may use if its request does not say
 * @param maxMemory that a request may ask for
 * @param timeout of a training if its request does not say
 * @param maxTimeout that a request may ask for
 * @param maxResultSize of an exported archive, a trained adapter or a checkpoint
 * @param uploadTimeout from their first byte to their last
 * @param maxPriority that a member may give a job; admins may give more
 * @param maxQueued jobs that an account may have waiting
 */
@ConfigurationProperties("nola.jobs")
record JobLimits(
    @DefaultValue("4GB") DataSize memory,
    @DefaultValue("256GB") DataSize maxMemory,
    @DefaultValue("1h") Duration timeout,
    @DefaultValue("7d") Duration maxTimeout,
    @DefaultValue("4GB") DataSize maxResultSize,
    @DefaultValue("30m") Duration uploadTimeout,
    @DefaultValue("10") int maxPriority,
    @DefaultValue("1000") int maxQueued) {
  JobLimits {
    JobSettings.requirePositive("timeout", timeout);
    JobSettings.requirePositive("max-timeout", maxTimeout);
    JobSettings.requirePositive("upload-timeout", uploadTimeout);
    if (maxPriority < 0 || maxPriority > JobSubmission.MAX_PRIORITY) {
      throw new IllegalArgumentException(
          "invalid nola.jobs.max-priority: %d; must be 0 to %d"
              .formatted(maxPriority, JobSubmission.MAX_PRIORITY));
    }
    if (maxQueued < 1) {
      throw new IllegalArgumentException(
          "invalid nola.jobs.max-queued: " + maxQueued + "; must be positive");
    }
  }
}
