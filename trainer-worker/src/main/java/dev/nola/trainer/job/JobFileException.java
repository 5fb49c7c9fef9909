package dev.nola.trainer.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Thrown when a job file breaks rules. */
public final class JobFileException extends IOException {
  private final List<String> problems;

  JobFileException(Path file, List<String> problems) {
    super(
        problems.size() == 1
            ? file + ": " + problems.getFirst()
            : "%s has %d problems:\n  %s"
                .formatted(file, problems.size(), String.join("\n  ", problems)));
    this.problems = List.copyOf(problems);
  }

  /**
   * Returns what is wrong with the file.
   *
   * @return a sentence for each problem, at least one
   */
  public List<String> problems() {
    return problems;
  }
}
