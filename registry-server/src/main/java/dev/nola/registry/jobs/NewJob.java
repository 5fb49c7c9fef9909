package dev.nola.registry.jobs;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.JobRequest;
import dev.nola.digest.Sha256;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job to be added.
 *
 * @param id of the job
 * @param request with its references pinned to versions and revisions
 * @param subject the version that the job makes, verifies or exports
 * @param requirements what a worker needs to run it
 * @param inputs what the job reads
 * @param origin who requested it
 */
record NewJob(
    UUID id,
    JobRequest request,
    Subject subject,
    Requirements requirements,
    Inputs inputs,
    Origin origin) {

  /**
   * The version that a job is about.
   *
   * @param namespace of the adapter
   * @param adapter name of the adapter within its namespace
   * @param version number of the version
   */
  record Subject(String namespace, String adapter, String version) {}

  /**
   * The requirements of a job on its worker.
   *
   * @param backend {@code scalar}, {@code vector} or {@code torch}; null for any
   * @param cuda whether the job needs a CUDA device
   * @param memoryBytes that the worker must have
   * @param timeoutSeconds after which the worker stops the job; 0 for no limit
   */
  record Requirements(
      @Nullable String backend, boolean cuda, long memoryBytes, int timeoutSeconds) {
    /** Any worker can run the job. */
    static final Requirements NONE = new Requirements(null, false, 0, 0);

    /**
     * Returns the requirement of one backend, and nothing else.
     *
     * @param backend {@code scalar}, {@code vector} or {@code torch}
     * @return the requirements
     */
    static Requirements ofBackend(String backend) {
      return new Requirements(backend, false, 0, 0);
    }
  }

  /**
   * The inputs of a job.
   *
   * @param modelId row of the base model's revision, or null
   * @param datasetId row of the dataset's revision, or null
   * @param digest of the adapter file, or null
   * @param nonce of a verification, or null
   */
  record Inputs(
      @Nullable Long modelId,
      @Nullable Long datasetId,
      @Nullable Sha256 digest,
      @Nullable Nonce nonce) {}

  /**
   * Account that requested a job.
   *
   * @param account that asked
   * @param tokenId of the token that it used; null if the registry asked by itself
   */
  record Origin(String account, @Nullable UUID tokenId) {}
}
