package dev.nola.trainer.worker;

import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.Lease;
import dev.nola.api.job.ObjectDetails;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.format.DType;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** A job whose result is a file: a training or an export. Its slot's thread does it. */
final class FileJob {
  /** Number of a training's steps up to which each is reported. */
  private static final int REPORTED_STEPS = 2_000;

  private static final Duration EXPORT_TIMEOUT = Duration.ofHours(1);
  private static final Duration NO_TIMEOUT = Duration.ofDays(365);

  private final HeldLease held;
  private final TaskFolder folder;
  private final JobInputs inputs;
  private final TaskLauncher tasks;
  private final JobReporter reporter;
  private final WorkerClient client;

  /**
   * Creates the job.
   *
   * @param held the job's lease
   * @param inputs what jobs read
   * @param tasks starts the job's process
   * @param reporter receives what came of it
   * @param client client for transfers
   */
  FileJob(
      HeldLease held,
      JobInputs inputs,
      TaskLauncher tasks,
      JobReporter reporter,
      WorkerClient client) {
    this.held = held;
    this.folder = tasks.newFolder(held);
    this.inputs = inputs;
    this.tasks = tasks;
    this.reporter = reporter;
    this.client = client;
  }

  /** Does the job, and reports what came of it, or that it was not done. */
  void run() {
    Thread slot = Thread.currentThread();
    held.whenOver(slot::interrupt);
    try {
      Files.createDirectories(folder.path());
      send(result());
    } catch (InterruptedException _) {
      end(this::failInterrupted);
    } catch (JobException e) {
      end(() -> reporter.fail(held, String.valueOf(e.getMessage()), e.isRetryable()));
    } catch (IOException e) {
      if (WorkerClient.isLeaseLost(e)) {
        held.lost();
      }
      end(() -> fail(e));
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      end(() -> reporter.failWithDefect(held, e));
    } finally {
      held.whenOver(() -> {});
      tasks.delete(folder);
    }
  }

  private Path result() throws IOException, InterruptedException, JobException {
    return switch (held.lease().job().request().work()) {
      case JobRequest.Train train -> train(train);
      case JobRequest.Export export -> export(export);
      case JobRequest.Verify _ ->
          throw new IllegalStateException("verifications are done by VerificationRun");
    };
  }

  private void send(Path result) throws IOException, InterruptedException {
    held.flush();
    JobDetails details =
        Registry.retry(
            Registry.MAX_OUTAGE, () -> client.putResult(held.job(), held.fence(), result));
    boolean accepted = details.state() != JobState.FAILED;
    reporter.count(1, accepted);
    reporter.log(held, accepted ? "done" : "failed: " + details.reason());
  }

  /** Reports a failure, unless the job is another worker's by now. */
  private void end(Runnable report) {
    held.whenOver(() -> {});
    if (held.state() == HeldLease.State.LOST) {
      reporter.logLost(held);
    } else {
      report.run();
    }
  }

  private void failInterrupted() {
    if (held.state() == HeldLease.State.CANCELLED) {
      reporter.cancel(held);
    } else {
      reporter.giveBack(held);
    }
  }

  private void fail(IOException e) {
    if (WorkerClient.isCancelled(e)) {
      reporter.cancel(held);
    } else {
      // What the registry refuses it will refuse again; the network and the disk may recover.
      reporter.fail(held, String.valueOf(e.getMessage()), !Registry.isRefusal(e));
    }
  }

  private Path train(JobRequest.Train train)
      throws IOException, InterruptedException, JobException {
    Lease lease = held.lease();
    ObjectDetails dataset = Objects.requireNonNull(lease.dataset(), "dataset");
    inputs.linkDataset(dataset, folder);
    boolean hasModel = inputs.linkModel(lease.model(), folder);
    Files.write(
        folder.job(),
        JsonMapper.shared()
            .writeValueAsBytes(
                LeasedJobFile.of(
                    train.job(), dataset, hasModel, Tensors.isOnGpu() ? "cuda" : "cpu")));
    String gpuObstacle = Tensors.gpuObstacle();
    if (gpuObstacle != null && LeasedJobFile.leavesDevice(train.job())) {
      held.log("device cpu: " + gpuObstacle);
    }
    if (lease.checkpoint()) {
      inputs.fetchCheckpoint(held, folder);
      held.log("continues from the checkpoint of an earlier worker");
    }
    long memory = lease.memoryBytes() > 0 ? lease.memoryBytes() : tasks.memoryBytes();
    Duration timeout =
        lease.timeoutSeconds() > 0 ? Duration.ofSeconds(lease.timeoutSeconds()) : NO_TIMEOUT;
    Path checkpoint = TrainingRun.checkpoint(folder.adapter());
    try (CheckpointUpload upload = new CheckpointUpload(client, held, checkpoint)) {
      run(new Task.Train(), memory, timeout, event -> handle(event, upload));
    }
    return folder.adapter();
  }

  private Path export(JobRequest.Export export)
      throws IOException, InterruptedException, JobException {
    Lease lease = held.lease();
    inputs.fetchAdapter(export.adapter(), lease, folder);
    boolean hasModel = inputs.linkModel(lease.model(), folder);
    Task task = new Task.Export(type(export), hasModel);
    run(task, tasks.memoryBytes(), EXPORT_TIMEOUT, event -> handle(event, null));
    return folder.archive();
  }

  private static @Nullable DType type(JobRequest.Export export) throws JobException {
    String name = export.elementType();
    try {
      return name == null ? null : DType.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException _) {
      throw new JobException("invalid type: " + name + "; must be f16, bf16 or f32", false);
    }
  }

  private void run(Task task, long memoryBytes, Duration timeout, Consumer<TaskEvent> listener)
      throws IOException, InterruptedException, JobException {
    ChildProcess.Ending ending = tasks.run(folder, task, memoryBytes, timeout, listener);
    String reason = ending.reason();
    if (reason != null) {
      throw new JobException(reason, ending.retryable());
    }
  }

  private void handle(TaskEvent event, @Nullable CheckpointUpload upload) {
    switch (event) {
      case TaskEvent.Step it -> {
        held.progress(it.step(), it.steps(), it.loss());
        if (it.step() % Math.ceilDiv(it.steps(), REPORTED_STEPS) == 0) {
          held.metric("loss", it.step(), it.loss());
        }
      }
      case TaskEvent.Evaluated it -> {
        held.metric("validation loss", it.step(), it.loss());
        held.metric("validation accuracy", it.step(), it.accuracy());
      }
      case TaskEvent.CheckpointWritten _ -> {
        if (upload != null) {
          upload.next();
        }
      }
      case TaskEvent.Log it -> held.log(it.line());
      case TaskEvent.Failed _ ->
          throw new IllegalStateException("a failure is reported when the process ends");
    }
  }
}
