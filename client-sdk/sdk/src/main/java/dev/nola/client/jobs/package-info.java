/**
 * Jobs of a registry: for those who want work done ({@link dev.nola.client.jobs.JobsClient}), and
 * for workers who do it ({@link dev.nola.client.jobs.WorkerClient}).
 *
 * <p>Models and datasets that jobs name are uploaded as manifests ({@link
 * dev.nola.client.jobs.Manifests}) and files by digest.
 */
@NullMarked
package dev.nola.client.jobs;

import org.jspecify.annotations.NullMarked;
