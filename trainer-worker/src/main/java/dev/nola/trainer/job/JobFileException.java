package dev.nola.trainer.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A job file is not as it must be. */
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

  /** All of them, a sentence each, at least one. */
  public List<String> problems() {
    return problems;
  }
}
