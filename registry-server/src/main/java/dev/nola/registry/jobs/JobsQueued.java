package dev.nola.registry.jobs;

/** Event: jobs may wait that did not wait before. Sent within the transaction that queues them. */
record JobsQueued() {}
