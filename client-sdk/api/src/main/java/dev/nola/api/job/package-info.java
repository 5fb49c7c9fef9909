/**
 * Jobs: their requests, how workers lease them, and what workers report.
 *
 * <p>A worker asks for jobs ({@link dev.nola.api.job.LeaseRequest}) and gets {@link
 * dev.nola.api.job.Lease leases}. Each has a fencing number, higher than that of every lease before
 * it, which all that the worker sends about the job must carry; once the lease has expired and
 * moved on, everything with the old number is refused ({@code lease-lost}).
 */
@NullMarked
package dev.nola.api.job;

import org.jspecify.annotations.NullMarked;
