package dev.nola.registry.jobs;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobResult;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.api.job.WaitingReason;
import dev.nola.digest.Sha256;
import dev.nola.registry.web.Refusal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * A job read from its row. Its fourteen components are the columns, those that the API shows in
 * one.
 *
 * @param details as the API shows them
 * @param position in the order of submission
 * @param adapter name of the adapter within its namespace
 * @param version that the job makes, verifies or exports
 * @param tokenId of the token with which it was submitted; null if the registry queued it
 * @param digest of the adapter file, or null
 * @param nonce of a verification, or null
 * @param modelId row of the base model's revision, or null
 * @param datasetId row of the dataset's revision, or null
 * @param memoryBytes that the worker must have
 * @param timeoutSeconds after which the worker stops the job; 0 for no limit
 * @param fence of the current or last lease, or null
 * @param expiresAt when the lease expires, or null
 * @param checkpoint digest of the last checkpoint, or null
 */
record Job(
    JobDetails details,
    long position,
    String adapter,
    String version,
    @Nullable UUID tokenId,
    @Nullable Sha256 digest,
    @Nullable Nonce nonce,
    @Nullable Long modelId,
    @Nullable Long datasetId,
    long memoryBytes,
    int timeoutSeconds,
    @Nullable Long fence,
    @Nullable Instant expiresAt,
    @Nullable Sha256 checkpoint) {
  private static final TypeReference<Map<String, Double>> METRICS = new TypeReference<>() {};

  /**
   * Returns the digest of the file that is kept of this job: an exported archive, or an adapter
   * that could not be published.
   *
   * @throws Refusal with status 404 if none is kept
   */
  Sha256 resultFile() {
    JobResult result = details.result();
    boolean published = type() == JobType.TRAIN && state() == JobState.SUCCEEDED;
    if (result == null || result.digest() == null || published) {
      throw Refusal.notFound("result of job " + id());
    }
    return result.digest();
  }

  UUID id() {
    return details.id();
  }

  JobType type() {
    return details.type();
  }

  JobState state() {
    return details.state();
  }

  /** Returns the same job with the reasons why it waits. */
  Job withWaiting(List<WaitingReason> reasons) {
    return new Job(
        details.withWaiting(reasons),
        position,
        adapter,
        version,
        tokenId,
        digest,
        nonce,
        modelId,
        datasetId,
        memoryBytes,
        timeoutSeconds,
        fence,
        expiresAt,
        checkpoint);
  }

  static Job read(ResultSet row, JsonMapper json) throws SQLException {
    byte[] nonce = row.getBytes("nonce");
    return new Job(
        new JobDetails(
            row.getObject("id", UUID.class),
            JobType.valueOf(row.getString("type")),
            JobState.valueOf(row.getString("state")),
            row.getInt("priority"),
            row.getString("namespace"),
            json.readValue(row.getString("request"), JobRequest.class),
            row.getBoolean("cancel_requested"),
            row.getInt("attempts"),
            row.getInt("max_attempts"),
            row.getString("worker"),
            progress(row, json),
            row.getString("reason"),
            null, // WaitingReasons adds it
            result(row, json),
            row.getString("created_by"),
            row.getTimestamp("created_at").toInstant(),
            row.getTimestamp("not_before").toInstant(),
            instant(row, "started_at"),
            instant(row, "finished_at")),
        row.getLong("position"),
        row.getString("adapter"),
        row.getString("version"),
        row.getObject("token_id", UUID.class),
        digest(row, "digest"),
        nonce == null ? null : Nonce.ofBytes(nonce),
        row.getObject("model_id", Long.class),
        row.getObject("dataset_id", Long.class),
        row.getLong("memory_bytes"),
        row.getInt("timeout_seconds"),
        row.getObject("fence", Long.class),
        instant(row, "expires_at"),
        digest(row, "checkpoint_digest"));
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp time = row.getTimestamp(column);
    return time == null ? null : time.toInstant();
  }

  private static @Nullable Sha256 digest(ResultSet row, String column) throws SQLException {
    String digest = row.getString(column);
    return digest == null ? null : Sha256.parse(digest);
  }

  static @Nullable JobProgress progress(ResultSet row, JsonMapper json) throws SQLException {
    String progress = row.getString("progress");
    return progress == null ? null : json.readValue(progress, JobProgress.class);
  }

  private static @Nullable JobResult result(ResultSet row, JsonMapper json) throws SQLException {
    Sha256 digest = digest(row, "result_digest");
    String outcome = row.getString("outcome");
    if (digest == null && outcome == null) {
      return null;
    }
    String metrics = row.getString("result_metrics");
    return new JobResult(
        digest,
        digest == null ? null : row.getLong("result_size"),
        outcome,
        metrics == null ? null : json.readValue(metrics, METRICS));
  }
}
