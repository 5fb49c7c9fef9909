package dev.nola.trainer.worker;

import dev.nola.api.job.Lease;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.jobs.WorkerClient;
import dev.nola.digest.Sha256;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Puts into a task's folder what the task reads: models, datasets, adapters and checkpoints. */
final class JobInputs {
  private final WorkerClient client;
  private final ObjectStore objects;
  private final ModelFolders models;
  private final long diskBytes;

  /**
   * Creates it.
   *
   * @param client client for transfers
   * @param objects files that were fetched
   * @param models models that this machine has
   * @param diskBytes disk that one job may use, in bytes
   */
  JobInputs(WorkerClient client, ObjectStore objects, ModelFolders models, long diskBytes) {
    this.client = client;
    this.objects = objects;
    this.models = models;
    this.diskBytes = diskBytes;
  }

  /** Links the files of a dataset into the folder. */
  void linkDataset(ObjectDetails dataset, TaskFolder folder)
      throws IOException, InterruptedException, JobException {
    requireRoom(dataset);
    objects.link(ObjectKind.DATASET, dataset, folder.data());
  }

  /**
   * Links the files of a model into the folder.
   *
   * @param model the model, or null for none
   * @return whether there is one
   */
  boolean linkModel(@Nullable ObjectDetails model, TaskFolder folder)
      throws IOException, InterruptedException, JobException {
    if (model == null) {
      return false;
    }
    if (models.link(model.revision(), folder.model())) {
      return true;
    }
    if (!model.stored()) {
      throw new JobException(
          "files of model %s/%s not found on this worker and not stored in the registry"
              .formatted(model.namespace(), model.name()),
          true);
    }
    requireRoom(model);
    objects.link(ObjectKind.MODEL, model, folder.model());
    return true;
  }

  private void requireRoom(ObjectDetails object) throws JobException {
    long size = object.totalSize();
    if (size > diskBytes) {
      throw new JobException(
          String.format(
              Locale.ROOT,
              "disk limit: %s/%s has %,d MB; the limit of a job on this worker is %,d MB",
              object.namespace(),
              object.name(),
              size / 1_000_000,
              diskBytes / 1_000_000),
          true);
    }
  }

  /** Fetches the adapter file of a lease into the folder. */
  void fetchAdapter(String adapter, Lease lease, TaskFolder folder)
      throws IOException, InterruptedException {
    Sha256 digest = Objects.requireNonNull(lease.digest(), "digest");
    Files.write(folder.adapter(), client.adapter(adapter, digest, AdapterFiles.MAX_BYTES));
  }

  /** Fetches the checkpoint that an earlier worker has left into the folder. */
  void fetchCheckpoint(HeldLease held, TaskFolder folder) throws IOException, InterruptedException {
    Path checkpoint = TrainingRun.checkpoint(folder.adapter());
    Files.createDirectories(checkpoint.getParent());
    client.getCheckpoint(held.job(), held.fence(), checkpoint, diskBytes);
  }
}
