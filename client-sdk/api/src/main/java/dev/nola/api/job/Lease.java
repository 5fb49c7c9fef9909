package dev.nola.api.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.attestation.Nonce;
import dev.nola.digest.Sha256;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job that is leased to a worker for a time, which each heartbeat renews. It has twelve
 * components because JSON has them side by side.
 *
 * @param job the job
 * @param fence fencing number, to be sent with everything about the job
 * @param expiresAt time at which the job goes to another worker unless a heartbeat comes before
 * @param heartbeatSeconds time between heartbeats, in seconds
 * @param digest digest of the adapter file to verify or export; null for a training
 * @param nonce nonce that an attestation must prove to know; null unless the job is a verification
 * @param file base64 of the adapter file to verify if it is small and no earlier lease in the
 *     answer has it; else it is to be downloaded
 * @param model model to train on or to export with, or null
 * @param dataset dataset to train with, or null
 * @param checkpoint whether an earlier worker left one
 * @param memoryBytes memory that the job may use, in bytes; 0 unless it is a training
 * @param timeoutSeconds time that the job may take, in seconds; 0 unless it is a training
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
