package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.attestation.Nonce;
import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job that a worker was given for a time, which each heartbeat renews.
 *
 * @param fence to be sent with everything about the job
 * @param expiresAt when the job goes to someone else, unless a heartbeat comes before
 * @param heartbeatSeconds how often to send one
 * @param digest of the adapter file to verify or export; null of a training
 * @param nonce that an attestation must prove to know; null unless the job is a verification
 * @param file base64 of the adapter file to verify, if it is small and none of the leases before in
 *     the answer has it; else it is to be downloaded
 * @param model to train on or to export with, or null
 * @param dataset to train with, or null
 * @param checkpoint whether an earlier worker left one
 * @param memoryBytes the job may use; 0 unless it is a training
 * @param timeoutSeconds the job may take; 0 unless it is a training
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Lease(
    JobDetails job,
    long fence,
    Instant expiresAt,
    int heartbeatSeconds,
    @Nullable Sha256 digest,
    @Nullable Nonce nonce,
    @Nullable String file,
    @Nullable ObjectDetails model,
    @Nullable ObjectDetails dataset,
    boolean checkpoint,
    long memoryBytes,
    int timeoutSeconds) {}
