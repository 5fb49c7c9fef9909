/**
 * A worker: takes jobs from a registry, and sends back what comes of them.
 *
 * <p>{@link dev.nola.trainer.worker.Worker} has as many slots as it does jobs at a time; each asks
 * for a job, does it, and asks again. A {@code HeldLease} sends the heartbeats of one job, and says
 * when it is not this worker's any more. Small files are verified here ({@code Verification});
 * whatever may take long, or much memory, runs in a process of its own ({@code ChildProcess}, whose
 * other side is {@link dev.nola.trainer.worker.Task}), which is killed with all that it has begun
 * when it exceeds a limit, or its job is cancelled or lost.
 */
@NullMarked
package dev.nola.trainer.worker;

import org.jspecify.annotations.NullMarked;
