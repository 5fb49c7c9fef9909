package dev.nola.trainer.worker;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.Lease;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.client.registry.RegistryException;
import dev.nola.digest.Sha256;
import dev.nola.format.DType;
import dev.nola.threads.Uninterruptibles;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** A job whose result is a file: a training or an export. Its slot's thread does it. */
final class FileJob {
  /** Bytes of an adapter file that is taken. */
  static final int MAX_ADAPTER = 64 << 20;

  /** Steps of a training that are reported one by one; of a longer one every so many. */
  private static final int REPORTED_STEPS = 2_000;

  private static final List<String> FILES =
      List.of("train", "validation", "trainLabels", "validationLabels");
  private static final Duration EXPORT_TIME = Duration.ofHours(1);

  private final Worker worker;
  private final HeldLease held;
  private final Path folder;

  /** The job cannot be done, or not here. */
  private static final class JobException extends Exception {
    private final boolean retryable;

    JobException(String reason, boolean retryable) {
      super(reason);
      this.retryable = retryable;
    }
  }

  /**
   * @param folder of this job alone; does not exist yet
   */
  FileJob(Worker worker, HeldLease held, Path folder) {
    this.worker = worker;
    this.held = held;
    this.folder = folder;
  }

  /** Does the job, and reports what came of it, or that it was not done. */
  void run() {
    Thread slot = Thread.currentThread();
    held.whenOver(slot::interrupt);
    JobFailure failure;
    try {
      Path result = result();
      held.flush();
      JobDetails details =
          Registry.persist(
              worker.patience(),
              () -> worker.registry().files().putResult(held.job(), held.fence(), result));
      boolean accepted = details.state() != JobState.FAILED;
      worker.tally().addResults(1, accepted);
      worker.log(held, accepted ? "done" : "failed: " + details.reason());
      return;
    } catch (InterruptedException _) {
      failure = interrupted();
    } catch (JobException e) {
      failure = new JobFailure(held.fence(), String.valueOf(e.getMessage()), e.retryable);
    } catch (IOException e) {
      failure = refused(e);
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      worker.report("job " + held.job(), e);
      failure = new JobFailure(held.fence(), "error in the worker: " + e, true);
    } finally {
      held.whenOver(() -> {});
    }
    if (failure == null || held.state() == HeldLease.State.LOST) {
      worker.log(held, "lost: somebody else has it now");
      return;
    }
    worker.fail(held, failure);
  }

  private @Nullable JobFailure interrupted() {
    return switch (held.state()) {
      case LOST -> null;
      case CANCELLED -> new JobFailure(held.fence(), "cancelled", false);
      case HELD -> new JobFailure(held.fence(), "the worker was stopped", true);
    };
  }

  private @Nullable JobFailure refused(IOException e) {
    if (WorkerClient.isLeaseLost(e)) {
      held.lost();
      return null;
    }
    if (WorkerClient.isCancelled(e)) {
      return new JobFailure(held.fence(), "cancelled", false);
    }
    // What the registry refuses it will refuse again; the network and the disk may recover.
    boolean refused =
        e instanceof RegistryException refusal
            && refusal.kind() != RegistryException.Kind.UNAVAILABLE;
    return new JobFailure(held.fence(), String.valueOf(e.getMessage()), !refused);
  }

  private Path result() throws IOException, InterruptedException, JobException {
    JobRequest request = held.lease().job().request();
    Files.createDirectories(folder);
    return switch (request.work()) {
      case JobRequest.Train train -> train(train);
      case JobRequest.Export export -> export(export);
      case JobRequest.Verify _ ->
          throw new IllegalStateException("verifications are done in batches");
    };
  }

  private Path train(JobRequest.Train train)
      throws IOException, InterruptedException, JobException {
    Lease lease = held.lease();
    ObjectDetails dataset = Objects.requireNonNull(lease.dataset(), "dataset");
    requireRoom(dataset);
    worker.objects().link(ObjectKind.DATASET, dataset, folder.resolve(Task.DATA));
    boolean hasModel = linkModel(lease.model());
    Files.write(
        folder.resolve(Task.JOB),
        JsonMapper.shared().writeValueAsBytes(jobFile(train.job(), dataset, hasModel)));
    Path output = folder.resolve(Task.ADAPTER);
    Path checkpoint = TrainingRun.checkpoint(output);
    if (lease.checkpoint()) {
      Files.createDirectories(checkpoint.getParent());
      worker
          .registry()
          .files()
          .getCheckpoint(held.job(), held.fence(), checkpoint, worker.settings().diskBytes());
      held.log("continues from the checkpoint of an earlier worker");
    }
    long memory = lease.memoryBytes() > 0 ? lease.memoryBytes() : worker.settings().memoryBytes();
    Duration time =
        lease.timeoutSeconds() > 0
            ? Duration.ofSeconds(lease.timeoutSeconds())
            : Duration.ofDays(365);
    try (CheckpointUpload upload = new CheckpointUpload(checkpoint)) {
      run(
          new Task(Task.What.TRAIN, null, hasModel, null, null, worker.settings().name(), memory),
          time,
          upload);
    }
    return output;
  }

  /** The job as a file that names what is in the folder, and nothing else. */
  private Map<String, Object> jobFile(
      Map<String, Object> job, ObjectDetails dataset, boolean hasModel) throws JobException {
    Map<String, Object> all = new LinkedHashMap<>(job);
    Map<String, Object> model = group(job, "model");
    if (model.containsKey("base")) {
      throw new JobException("model.base has no use in a job for workers: name the model", false);
    }
    if (hasModel) {
      model.put("base", Task.MODEL);
    }
    if (!model.isEmpty()) {
      all.put("model", model);
    }
    Map<String, Object> data = group(job, "data");
    for (String key : FILES) {
      Object path = data.get(key);
      if (path != null) {
        if (dataset.files().stream().noneMatch(file -> file.path().equals(path))) {
          throw new JobException(
              "data.%s=%s, must be a file of %s/%s"
                  .formatted(key, path, dataset.namespace(), dataset.name()),
              false);
        }
        data.put(key, Task.DATA + "/" + path);
      }
    }
    if (!data.isEmpty()) {
      all.put("data", data);
    }
    return all;
  }

  private static Map<String, Object> group(Map<String, Object> job, String name) {
    Map<String, Object> group = new LinkedHashMap<>();
    if (job.get(name) instanceof Map<?, ?> given) {
      given.forEach((key, value) -> group.put(String.valueOf(key), value));
    }
    return group;
  }

  private Path export(JobRequest.Export export)
      throws IOException, InterruptedException, JobException {
    Lease lease = held.lease();
    Sha256 digest = Objects.requireNonNull(lease.digest(), "digest");
    Files.write(
        folder.resolve(Task.ADAPTER),
        worker.registry().files().adapter(export.adapter(), digest, MAX_ADAPTER));
    boolean hasModel = linkModel(lease.model());
    DType type;
    try {
      type =
          export.elementType() == null
              ? null
              : DType.valueOf(export.elementType().toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException _) {
      throw new JobException("type=" + export.elementType() + ", must be f16, bf16 or f32", false);
    }
    long memory = worker.settings().memoryBytes();
    run(
        new Task(Task.What.EXPORT, type, hasModel, null, null, worker.settings().name(), memory),
        EXPORT_TIME,
        null);
    return folder.resolve(Task.ARCHIVE);
  }

  /** Whether there is one. */
  private boolean linkModel(@Nullable ObjectDetails model)
      throws IOException, InterruptedException, JobException {
    if (model == null) {
      return false;
    }
    Path destination = folder.resolve(Task.MODEL);
    if (worker.models().link(model.revision().toString(), destination)) {
      return true;
    }
    if (!model.stored()) {
      throw new JobException(
          "the files of model %s/%s are not stored in the registry, and not found on this worker"
              .formatted(model.namespace(), model.name()),
          true);
    }
    requireRoom(model);
    worker.objects().link(ObjectKind.MODEL, model, destination);
    return true;
  }

  private void requireRoom(ObjectDetails object) throws JobException {
    long size = object.files().stream().mapToLong(ObjectManifest.Entry::size).sum();
    if (size > worker.settings().diskBytes()) {
      throw new JobException(
          "disk limit: %s/%s has %,d MB, a job may have %,d here"
              .formatted(
                  object.namespace(),
                  object.name(),
                  size / 1_000_000,
                  worker.settings().diskBytes() / 1_000_000),
          true);
    }
  }

  private void run(Task task, Duration time, @Nullable CheckpointUpload upload)
      throws IOException, InterruptedException, JobException {
    task.write(folder);
    ChildProcess.Limits limits =
        new ChildProcess.Limits(task.memoryBytes(), worker.settings().diskBytes(), time);
    try (ChildProcess process = new ChildProcess(folder, limits, event -> heard(event, upload))) {
      ChildProcess.Ending ending = process.await();
      String reason = ending.reason();
      if (reason != null) {
        throw new JobException(reason, ending.retryable());
      }
    }
  }

  private void heard(Task.Event event, @Nullable CheckpointUpload upload) {
    long step = event.step() == null ? 0 : event.step();
    double loss = event.loss() == null ? Double.NaN : event.loss();
    switch (event.event()) {
      case STEP -> {
        long steps = event.steps() == null ? step : event.steps();
        held.progress(step, steps, loss);
        if (step % Math.ceilDiv(steps, REPORTED_STEPS) == 0) {
          held.metric("loss", step, loss);
        }
      }
      case EVALUATION -> {
        held.metric("validation loss", step, loss);
        held.metric(
            "validation accuracy", step, event.accuracy() == null ? Double.NaN : event.accuracy());
      }
      case CHECKPOINT -> {
        if (upload != null) {
          upload.next();
        }
      }
      case LOG -> held.log(String.valueOf(event.reason()));
      case FAILED -> throw new IllegalStateException("told with the process's end");
    }
  }

  /** Sends the latest checkpoint, one at a time; those that come meanwhile are one. */
  private final class CheckpointUpload implements AutoCloseable {
    private final Path file;
    private final Semaphore written = new Semaphore(0);
    private final Thread thread;

    CheckpointUpload(Path file) {
      this.file = file;
      this.thread = Thread.ofVirtual().name("checkpoints").start(this::run);
    }

    void next() {
      written.release();
    }

    private void run() {
      try {
        while (true) {
          written.acquire();
          written.drainPermits();
          try {
            worker.registry().files().putCheckpoint(held.job(), held.fence(), file);
          } catch (IOException e) {
            if (WorkerClient.isLeaseLost(e)) {
              held.lost();
              return;
            }
            held.log("a checkpoint could not be kept: " + e.getMessage());
          }
        }
      } catch (InterruptedException _) {
        // The training is over.
      }
    }

    @Override
    public void close() {
      thread.interrupt();
      Uninterruptibles.await(thread::join);
    }
  }
}
