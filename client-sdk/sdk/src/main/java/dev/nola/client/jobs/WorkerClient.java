package dev.nola.client.jobs;

import dev.nola.api.attestation.AttestationReport;
import dev.nola.api.attestation.KeyRegistration;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.HeartbeatAnswer;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.LeaseRequest;
import dev.nola.api.job.Leases;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import tools.jackson.core.type.TypeReference;

/**
 * Leases jobs for a worker, and reports what becomes of them.
 *
 * <p>Everything about a job carries the fencing number of its lease. Once that has moved on, it is
 * refused: {@link #isLeaseLost}.
 */
public final class WorkerClient {
  private static final String BYTES = "application/octet-stream";

  private final Transport transport;

  /**
   * Creates the client; applications get it from a {@code NolaClient}.
   *
   * @param transport sends the requests
   */
  public WorkerClient(Transport transport) {
    this.transport = transport;
  }

  /**
   * Tells whether a refusal means that another worker holds the job now.
   *
   * @param refusal the exception of a call
   * @return true if the lease is lost
   */
  public static boolean isLeaseLost(IOException refusal) {
    return isConflict(refusal, ":lease-lost");
  }

  /**
   * Tells whether a refusal means that the job's cancellation was requested.
   *
   * @param refusal the exception of a call
   * @return true if the job was cancelled
   */
  public static boolean isCancelled(IOException refusal) {
    return isConflict(refusal, ":cancelled");
  }

  /**
   * Tells whether a refusal means that another worker of the same name is running.
   *
   * @param refusal the exception of a call
   * @return true if the name is in use
   */
  public static boolean isNameInUse(IOException refusal) {
    return isConflict(refusal, ":worker-name-in-use");
  }

  private static boolean isConflict(IOException refusal, String type) {
    return refusal instanceof RegistryException e
        && e.kind() == RegistryException.Kind.CONFLICT
        && e.problem() != null
        && e.problem().type().endsWith(type);
  }

  /**
   * Registers a key to sign with; nothing happens if it is registered already.
   *
   * @param publicKey base64 of its X.509 SubjectPublicKeyInfo
   * @param description text that describes the key
   * @return the key
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public WorkerKey register(String publicKey, String description)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", "/api/v1/worker-keys")
            .with(Content.json(new KeyRegistration(publicKey, description))),
        new TypeReference<>() {});
  }

  /**
   * Leases jobs. The request is never sent twice: jobs of a lost response return to the queue.
   *
   * @param request what the worker can do
   * @return the leased jobs
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Leases lease(LeaseRequest request) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", "/api/v1/jobs/lease").with(Content.json(request)).once(),
        new TypeReference<>() {});
  }

  /**
   * Says that a worker has ended, so that it is not taken to be running, and its name is free.
   *
   * @param worker name of the worker
   * @param instance of the worker that has ended
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void end(String worker, String instance) throws IOException, InterruptedException {
    Query query = new Query().add("worker", worker).add("instance", instance);
    transport.status(Call.of("DELETE", "/api/v1/workers" + query).once());
  }

  /**
   * Reports that a job is being worked on; sent once, since the next heartbeat replaces it.
   *
   * @param job the job's id
   * @param heartbeat the progress
   * @return the registry's instructions
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public HeartbeatAnswer heartbeat(UUID job, Heartbeat heartbeat)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", JobsClient.path(job) + "/heartbeat").with(Content.json(heartbeat)).once(),
        new TypeReference<>() {});
  }

  /**
   * Uploads a training's checkpoint.
   *
   * @param job the job's id
   * @param fence the lease's fencing number
   * @param file the checkpoint
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void putCheckpoint(UUID job, long fence, Path file)
      throws IOException, InterruptedException {
    transport.status(
        Call.of("PUT", JobsClient.path(job) + "/checkpoint?fence=" + fence)
            .with(Content.file(BYTES, file)));
  }

  /**
   * Downloads the checkpoint of an earlier worker.
   *
   * @param job the job's id
   * @param fence the lease's fencing number
   * @param file the file to write
   * @param limit the largest checkpoint, in bytes
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void getCheckpoint(UUID job, long fence, Path file, long limit)
      throws IOException, InterruptedException {
    transport.save(
        Call.get(JobsClient.path(job) + "/checkpoint?fence=" + fence).accepting("*/*"),
        file,
        limit);
  }

  /**
   * Uploads the result of a training or an export.
   *
   * @param job the job's id
   * @param fence the lease's fencing number
   * @param file the result
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails putResult(UUID job, long fence, Path file)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("PUT", JobsClient.path(job) + "/result?fence=" + fence)
            .with(Content.file(BYTES, file)),
        new TypeReference<>() {});
  }

  /**
   * Reports that a job failed.
   *
   * @param job the job's id
   * @param failure the reason
   * @return the job
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public JobDetails fail(UUID job, JobFailure failure) throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", JobsClient.path(job) + "/failure").with(Content.json(failure)),
        new TypeReference<>() {});
  }

  /**
   * Sends the results of verifications.
   *
   * @param report the attestations
   * @return the registry's response
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public AttestationReport.Answer attest(AttestationReport report)
      throws IOException, InterruptedException {
    return transport.json(
        Call.of("POST", "/api/v1/attestations").with(Content.json(report)),
        new TypeReference<>() {});
  }

  /**
   * Reads an adapter file.
   *
   * @param adapter {@code namespace/name}
   * @param digest SHA-256 of the file
   * @param limit the largest file, in bytes
   * @return the file's bytes
   * @throws IOException also if the registry sends another file
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public byte[] adapter(String adapter, Sha256 digest, int limit)
      throws IOException, InterruptedException {
    byte[] bytes =
        transport.bytes(
            Call.get("/api/v1/adapters/" + adapter + "/versions/" + digest + "/file")
                .accepting(AdapterFile.MEDIA_TYPE),
            limit);
    requireDigest(adapter, digest, Sha256.hash(bytes));
    return bytes;
  }

  /**
   * Fetches a file of a model or dataset.
   *
   * @param kind model or dataset
   * @param name {@code namespace/name}
   * @param entry the file's entry in the manifest
   * @param file the file to write
   * @throws IOException also if the registry sends another file
   * @throws RegistryException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public void fetch(ObjectKind kind, String name, ObjectManifest.Entry entry, Path file)
      throws IOException, InterruptedException {
    Sha256 actual =
        transport.save(
            Call.get(ObjectsClient.path(kind, name) + "/files/" + entry.digest()).accepting("*/*"),
            file,
            entry.size());
    requireDigest(name + "/" + entry.path(), entry.digest(), actual);
  }

  private static void requireDigest(String what, Sha256 expected, Sha256 actual)
      throws IOException {
    if (!actual.equals(expected)) {
      throw new IOException(
          "the registry sent %s with digest %s; requested was %s"
              .formatted(what, actual, expected));
    }
  }
}
