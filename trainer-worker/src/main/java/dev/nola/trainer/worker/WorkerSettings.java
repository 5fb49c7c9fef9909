package dev.nola.trainer.worker;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The name, folders and limits of a worker.
 *
 * @param name name, unique among an account's workers
 * @param slots number of jobs at a time
 * @param memoryBytes memory that one job may use, in bytes
 * @param diskBytes disk that one job may use, and that fetched files may take together, in bytes
 * @param work folder that no other worker uses
 * @param models folder with models, or null for none
 */
public record WorkerSettings(
    String name, int slots, long memoryBytes, long diskBytes, Path work, @Nullable Path models) {

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if a number is not positive
   */
  public WorkerSettings {
    if (slots < 1 || memoryBytes < 1 || diskBytes < 1) {
      throw new IllegalArgumentException(
          "slots=%d memory=%d disk=%d; must be at least 1"
              .formatted(slots, memoryBytes, diskBytes));
    }
    work = work.toAbsolutePath().normalize();
  }
}
