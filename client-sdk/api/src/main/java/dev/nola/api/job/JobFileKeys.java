package dev.nola.api.job;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The keys of a job file that name files. A training's request has a job file as an object ({@link
 * JobRequest.Train#job}): its dataset stands for the folder of the data files, and the model that
 * the request names for the base model.
 */
public final class JobFileKeys {
  /** Group of the keys of the base model. */
  public static final String MODEL = "model";

  /** Key within {@link #MODEL} of the base model's folder. */
  public static final String BASE = "base";

  /** Group of the keys of the data. */
  public static final String DATA = "data";

  /** Keys within {@link #DATA} of the data files. */
  public static final List<String> DATA_FILES =
      List.of("train", "validation", "trainLabels", "validationLabels");

  private JobFileKeys() {}

  /**
   * Returns whether a job names its base model itself, which one for workers must not.
   *
   * @param job the job, as in a request
   * @return whether it has the key {@code model.base}
   */
  public static boolean hasBase(Map<String, Object> job) {
    return job.get(MODEL) instanceof Map<?, ?> model && model.containsKey(BASE);
  }

  /**
   * Returns what a job may name of a dataset: its files and, as data of the format {@code images},
   * the folders that they are in.
   *
   * @param job the job, as in a request
   * @param files paths of the dataset's files
   * @return the paths of files and folders
   */
  public static Set<String> paths(Map<String, Object> job, Collection<String> files) {
    Set<String> paths = new LinkedHashSet<>(files);
    if (job.get(DATA) instanceof Map<?, ?> data && "images".equals(data.get("format"))) {
      for (String file : files) {
        for (int slash = file.indexOf('/'); slash >= 0; slash = file.indexOf('/', slash + 1)) {
          paths.add(file.substring(0, slash));
        }
      }
    }
    return paths;
  }

  /**
   * Returns the data files that a job names.
   *
   * @param job the job, as in a request
   * @return what the job has under each of {@link #DATA_FILES} that it has, possibly not a text
   */
  public static Map<String, Object> dataFiles(Map<String, Object> job) {
    Map<String, Object> files = new LinkedHashMap<>();
    if (job.get(DATA) instanceof Map<?, ?> data) {
      for (String key : DATA_FILES) {
        Object path = data.get(key);
        if (path != null) {
          files.put(key, path);
        }
      }
    }
    return files;
  }
}
