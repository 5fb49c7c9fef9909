package dev.nola.trainer.worker;

/**
 * What came of a worker's jobs.
 *
 * @param done jobs whose result the registry accepted
 * @param failed jobs that were reported as failed, or whose result the registry refused
 * @param returned jobs given back because the worker was stopped
 */
public record JobCounts(long done, long failed, long returned) {}
