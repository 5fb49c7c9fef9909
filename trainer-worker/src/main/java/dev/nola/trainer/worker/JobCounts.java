package dev.nola.trainer.worker;

/**
 * The number of a worker's jobs by outcome.
 *
 * @param done number of jobs whose result the registry accepted
 * @param failed number of jobs that were reported as failed, or whose result the registry refused
 * @param returned number of jobs given back because the worker was stopped
 */
public record JobCounts(long done, long failed, long returned) {}
