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
 */
@ConfigurationProperties("nola.jobs")
record JobLimits(
    @DefaultValue("4GB") DataSize memory,
    @DefaultValue("256GB") DataSize maxMemory,
    @DefaultValue("1h") Duration timeout,
    @DefaultValue("7d") Duration maxTimeout,
    @DefaultValue("4GB") DataSize maxResultSize,
    @DefaultValue("30m") Duration uploadTimeout) {
  JobLimits {
    JobSettings.requirePositive("timeout", timeout);
    JobSettings.requirePositive("max-timeout", maxTimeout);
    JobSettings.requirePositive("upload-timeout", uploadTimeout);
  }
}
