/**
 * Jobs: submitted by members of a namespace, leased to workers, and finished once.
 *
 * <p>A job is a row. Whatever changes it locks that row first, and what a worker sends counts only
 * while the row has the worker's fencing number: so a worker that comes late changes nothing,
 * whichever replica of the server it asks. Times are the database's, which all replicas share.
 */
@NullMarked
package dev.nola.registry.jobs;

import org.jspecify.annotations.NullMarked;
