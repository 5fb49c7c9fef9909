package dev.nola.trainer.worker;

import dev.nola.api.job.JobFileKeys;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.ObjectManifest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Turns the job of a lease into a job file that names what is in its task's folder. */
final class LeasedJobFile {
  private static final String RUN = "run";
  private static final String DEVICE = "device";

  /** The value of run.device that leaves the choice to the machine. */
  private static final String AUTO = "auto";

  private LeasedJobFile() {}

  /**
   * Returns the job file.
   *
   * @param job the job, without {@code model.base}, its data files as paths within the dataset
   * @param dataset the dataset
   * @param hasModel whether the folder has a base model
   * @param device the device of this worker, for jobs that leave the choice to it
   * @return the job with paths relative to the task's folder
   * @throws JobException if the job names a base model itself, or a file outside its dataset
   */
  static Map<String, Object> of(
      Map<String, Object> job, ObjectDetails dataset, boolean hasModel, String device)
      throws JobException {
    if (JobFileKeys.hasBase(job)) {
      throw new JobException(
          "model.base must not be set in a job for workers; name the model in the request", false);
    }
    Map<String, Object> rewritten = new LinkedHashMap<>(job);
    if (hasModel) {
      put(rewritten, JobFileKeys.MODEL, Map.of(JobFileKeys.BASE, TaskFolder.MODEL));
    }
    Set<String> known =
        JobFileKeys.paths(job, dataset.files().stream().map(ObjectManifest.Entry::path).toList());
    Map<String, Object> paths = new LinkedHashMap<>();
    for (Map.Entry<String, Object> file : JobFileKeys.dataFiles(job).entrySet()) {
      if (!(file.getValue() instanceof String path && known.contains(path))) {
        throw new JobException(
            "invalid data.%s: %s; must be the path of a file in %s/%s"
                .formatted(file.getKey(), file.getValue(), dataset.namespace(), dataset.name()),
            false);
      }
      paths.put(file.getKey(), TaskFolder.DATA + "/" + file.getValue());
    }
    put(rewritten, JobFileKeys.DATA, paths);
    if (leavesDevice(job)) {
      put(rewritten, RUN, Map.of(DEVICE, device));
    }
    return rewritten;
  }

  /** Returns whether a job leaves its device to the worker. */
  static boolean leavesDevice(Map<String, Object> job) {
    return job.getOrDefault(RUN, Map.of()) instanceof Map<?, ?> keys
        && (!keys.containsKey(DEVICE) || AUTO.equals(keys.get(DEVICE)));
  }

  /** Adds keys to a group, which is made if absent. */
  private static void put(Map<String, Object> job, String name, Map<String, Object> keys) {
    if (keys.isEmpty()) {
      return;
    }
    Map<String, Object> group = new LinkedHashMap<>();
    if (job.get(name) instanceof Map<?, ?> given) {
      given.forEach((key, value) -> group.put(String.valueOf(key), value));
    }
    group.putAll(keys);
    job.put(name, group);
  }
}
