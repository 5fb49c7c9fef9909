/**
 * A worker: takes jobs from a registry, and reports their results.
 *
 * <p>{@link dev.nola.trainer.worker.Worker} has a slot for each job that it may do at a time; a
 * slot asks for a job, does it, and asks again. {@code HeldLease} sends the heartbeats of one job,
 * and notices when the job is cancelled or lost. {@code VerificationRun} verifies small files here;
 * {@code TaskLauncher} starts a {@code ChildProcess} for anything that may take long or much
 * memory, in which {@link dev.nola.trainer.worker.TaskRunner} does the work. It is killed with all
 * processes that it has started when it exceeds a limit, or its job is cancelled or lost.
 */
@NullMarked
package dev.nola.trainer.worker;

import org.jspecify.annotations.NullMarked;
