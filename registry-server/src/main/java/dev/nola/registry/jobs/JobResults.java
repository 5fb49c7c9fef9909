package dev.nola.registry.jobs;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.blobs.BlobContent;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.blobs.BlobReferences;
import dev.nola.registry.blobs.BlobStore;
import dev.nola.registry.blobs.BodyReceiver;
import dev.nola.registry.blobs.StoredBlob;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.Publisher;
import dev.nola.registry.catalog.Quota;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Receives the results and checkpoints of jobs. Bytes are kept first and published then, so that a
 * result that cannot be published is not lost; the version and the end of its job are one
 * transaction.
 */
@Component
class JobResults {
  private static final Logger LOG = LoggerFactory.getLogger(JobResults.class);
  private static final String CALL = "result";
  private static final String CHECKPOINT = "checkpoint";

  private final JobRepository jobs;
  private final JobLifecycle lifecycle;
  private final LeaseService leasing;
  private final Publisher publishing;
  private final Access access;
  private final BlobStore blobs;
  private final BlobReader reader;
  private final BlobReferences references;
  private final Quota quota;
  private final TransactionTemplate transaction;
  private final JobLimits limits;

  /**
   * Takes more than six beans: a result is stored, published and recorded with its job in one
   * transaction.
   */
  JobResults(
      JobRepository jobs,
      JobLifecycle lifecycle,
      LeaseService leasing,
      Publisher publishing,
      Access access,
      BlobStore blobs,
      BlobReader reader,
      BlobReferences references,
      Quota quota,
      TransactionTemplate transaction,
      JobLimits limits) {
    this.jobs = jobs;
    this.lifecycle = lifecycle;
    this.leasing = leasing;
    this.publishing = publishing;
    this.access = access;
    this.blobs = blobs;
    this.reader = reader;
    this.references = references;
    this.quota = quota;
    this.transaction = transaction;
    this.limits = limits;
  }

  /** A publication that was refused within a transaction; thrown to roll it back. */
  private static final class Unpublished extends RuntimeException {
    private final transient Refusal refusal;

    Unpublished(Refusal refusal) {
      super(refusal.getMessage(), null, false, false);
      this.refusal = refusal;
    }
  }

  /**
   * Receives a checkpoint.
   *
   * @throws Refusal if the worker has the job no longer
   * @throws IOException if it cannot be received or kept
   */
  void checkpoint(Caller worker, UUID id, long fence, long length, InputStream body)
      throws IOException {
    leasing.requireLeased(worker, id, fence, CHECKPOINT);
    StoredBlob blob = keep(length, body);
    Sha256 unused = blob.digest();
    try {
      unused = transaction.execute(_ -> checkpoint(worker, id, fence, blob));
    } finally {
      if (unused != null) {
        drop(unused);
      }
    }
  }

  /** Returns the checkpoint that this one replaces, if any. */
  private @Nullable Sha256 checkpoint(Caller worker, UUID id, long fence, StoredBlob blob) {
    Job job = leasing.lockLeased(worker, id, fence, CHECKPOINT);
    references.hold(blob.digest());
    leasing.checkpoint(id, blob);
    quota.require(job.details().namespace(), blob.size());
    return blob.digest().equals(job.checkpoint()) ? null : job.checkpoint();
  }

  /** Deletes a blob that this job no longer needs, unless something else does. */
  private void drop(Sha256 digest) {
    try {
      references.deleteUnused(digest);
    } catch (IOException | RuntimeException e) {
      LOG.warn("blob {} is left to the garbage collection", digest, e);
    }
  }

  /**
   * Returns the digest of the last checkpoint of a job.
   *
   * @param worker that has the job
   * @param id of the job
   * @param fence of the lease
   * @return digest of the blob
   * @throws Refusal if the worker has the job no longer, or there is no checkpoint
   */
  Sha256 checkpointOf(Caller worker, UUID id, long fence) {
    Sha256 checkpoint = leasing.requireLeased(worker, id, fence, CHECKPOINT).checkpoint();
    if (checkpoint == null) {
      throw Refusal.notFound("checkpoint of job " + id);
    }
    return checkpoint;
  }

  /**
   * Receives a job's result and ends the job. A trained adapter is published in the name of the
   * account that submitted it; if that is refused, the job has failed and keeps it.
   *
   * @throws Refusal if the worker has the job no longer, or it is to be cancelled
   * @throws IOException if it cannot be received or kept
   */
  JobDetails receive(Caller worker, UUID id, long fence, long length, InputStream body)
      throws IOException {
    Job job = leasing.requireLeased(worker, id, fence, CALL);
    if (job.type() == JobType.VERIFY) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "wrong-type",
          "verification jobs end with an attestation, not a result");
    }
    StoredBlob blob = keep(length, body);
    try {
      if (job.type() == JobType.EXPORT) {
        keepExport(worker, job, fence, blob);
      } else {
        publishTrained(worker, job, fence, blob);
      }
    } catch (RuntimeException e) {
      drop(blob.digest());
      throw e;
    }
    JobDetails ended = jobs.find(id).orElseThrow().details();
    if (ended.state() == JobState.SUCCEEDED && job.checkpoint() != null) {
      drop(job.checkpoint());
    }
    return ended;
  }

  /** Keeps an exported archive; if the quota has no room for it, the job has failed. */
  private void keepExport(Caller worker, Job job, long fence, StoredBlob blob) {
    try {
      transaction.executeWithoutResult(
          _ -> {
            Job locked = leasing.lockLeased(worker, job.id(), fence, CALL);
            references.hold(blob.digest());
            lifecycle.succeed(locked, blob, Map.of());
            try {
              quota.require(job.details().namespace(), blob.size());
            } catch (Refusal refusal) {
              throw new Unpublished(refusal);
            }
          });
    } catch (Unpublished e) {
      transaction.executeWithoutResult(
          _ ->
              lifecycle.giveUp(
                  leasing.lockLeased(worker, job.id(), fence, CALL),
                  "cannot be kept: " + e.getMessage(),
                  false,
                  Duration.ZERO));
      drop(blob.digest());
    }
  }

  private void publishTrained(Caller worker, Job job, long fence, StoredBlob blob)
      throws IOException {
    UUID id = job.id();
    try {
      publish(
          () -> access.holderOf(Objects.requireNonNull(job.tokenId())),
          target(job, job.version()),
          BlobContent.of(blobs, blob.digest(), stored(blob.digest())),
          (candidate) -> {
            Job locked = leasing.lockLeased(worker, id, fence, CALL);
            record(candidate);
            lifecycle.succeed(locked, blob, metrics(candidate));
          });
    } catch (Unpublished e) {
      if (e.refusal.isTransient()) {
        throw e.refusal;
      }
      transaction.executeWithoutResult(
          _ -> {
            Job locked = leasing.lockLeased(worker, id, fence, CALL);
            references.hold(blob.digest());
            lifecycle.failUnpublished(
                locked,
                blob,
                "cannot be published as %s: %s; the result is kept: publish it with nola job retry %s, under another number with --new-version, or download it with nola job result"
                    .formatted(target(job, job.version()), e.getMessage(), id));
          });
    }
  }

  private BlobStore.Blob stored(Sha256 digest) throws IOException {
    return blobs
        .find(digest)
        .orElseThrow(() -> new IOException("blob not in the store: " + digest));
  }

  /**
   * Publishes the kept result of a training, in the name of the caller who retries.
   *
   * @throws Refusal if that is refused; the job stays as it is
   * @throws IOException if the bytes cannot be read
   */
  void publishKept(Caller caller, Job job, JobRequest request, String version) throws IOException {
    Sha256 digest = Objects.requireNonNull(Objects.requireNonNull(job.details().result()).digest());
    try {
      publish(
          () -> caller,
          target(job, version),
          BlobContent.of(blobs, digest, reader.get(digest)),
          (candidate) -> {
            Job locked = jobs.lock(job.id()).orElseThrow();
            JobLifecycle.requireRetryable(locked);
            record(candidate);
            lifecycle.succeedLater(locked, request, version, metrics(candidate));
          });
    } catch (Unpublished e) {
      throw e.refusal;
    }
  }

  /** Records a candidate, within a transaction. */
  private interface Recording {
    void accept(Publisher.Candidate candidate);
  }

  private interface Identity {
    Caller get();
  }

  private void publish(
      Identity identity, Publisher.Target target, BlobContent content, Recording recording)
      throws IOException {
    try {
      Publisher.Candidate candidate;
      try {
        candidate = publishing.prepare(identity.get(), target, content);
      } catch (Refusal refusal) {
        throw new Unpublished(refusal);
      }
      transaction.executeWithoutResult(_ -> recording.accept(candidate));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void record(Publisher.Candidate candidate) {
    try {
      publishing.record(candidate);
    } catch (Refusal refusal) {
      throw new Unpublished(refusal);
    }
  }

  private static Map<String, Double> metrics(Publisher.Candidate candidate) {
    return new TreeMap<>(candidate.metrics());
  }

  private static Publisher.Target target(Job job, String version) {
    JobRequest.Train train = (JobRequest.Train) job.details().request().work();
    return new Publisher.Target(
        new AdapterName(job.details().namespace(), job.adapter()), version, train.visibility());
  }

  private StoredBlob keep(long length, InputStream body) throws IOException {
    BodyReceiver receiver =
        new BodyReceiver(length, limits.maxResultSize().toBytes(), limits.uploadTimeout(), _ -> {});
    try (BlobStore.Upload upload = blobs.begin()) {
      receiver.receive(body, upload);
      return new StoredBlob(upload.commit(), upload.size());
    }
  }
}
