package dev.nola.trainer.worker;

import dev.nola.files.FileTree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;

/** Starts tasks in processes and folders of their own, within a worker's limits. */
final class TaskLauncher {
  private final WorkerSettings settings;
  private final JobReporter reporter;

  TaskLauncher(WorkerSettings settings, JobReporter reporter) {
    this.settings = settings;
    this.reporter = reporter;
  }

  /** Deletes what a worker that was killed has left. */
  void clean() throws IOException {
    FileTree.delete(jobs());
  }

  private Path jobs() {
    return settings.work().resolve("jobs");
  }

  String worker() {
    return settings.name();
  }

  /** Returns the memory that a job may use unless its lease names another limit, in bytes. */
  long memoryBytes() {
    return settings.memoryBytes();
  }

  /** Returns a folder for a job alone, which does not exist yet. */
  TaskFolder newFolder(HeldLease held) {
    return new TaskFolder(jobs().resolve(held.job() + "-" + held.fence()));
  }

  /** Deletes a job's folder; what cannot be deleted now is deleted at the worker's next start. */
  void delete(TaskFolder folder) {
    try {
      FileTree.delete(folder.path());
    } catch (IOException e) {
      reporter.log("%s cannot be deleted: %s".formatted(folder.path(), e.getMessage()));
    }
  }

  /**
   * Runs a task to its end.
   *
   * @param folder folder of the task, with all it needs
   * @param task what to do
   * @param memoryBytes memory that it may use, in bytes
   * @param time time that it may take
   * @param listener receives its events, on other threads
   * @return how it ended
   * @throws IOException if the process cannot be started
   * @throws InterruptedException if the thread is interrupted; the task is killed
   */
  ChildProcess.Ending run(
      TaskFolder folder, Task task, long memoryBytes, Duration time, Consumer<TaskEvent> listener)
      throws IOException, InterruptedException {
    folder.write(task);
    ChildProcess.Limits limits = new ChildProcess.Limits(memoryBytes, settings.diskBytes(), time);
    try (ChildProcess process = new ChildProcess(folder, limits, listener)) {
      return process.await();
    }
  }
}
