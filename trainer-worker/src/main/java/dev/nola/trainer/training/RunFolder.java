package dev.nola.trainer.training;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The folder of a run, {@code NAME.run} next to the adapter file.
 *
 * @param output adapter file of the run
 */
record RunFolder(Path output) {
  Path path() {
    return output.resolveSibling(output.getFileName() + ".run");
  }

  Path checkpoint() {
    return path().resolve("checkpoint.safetensors");
  }

  Path metrics() {
    return path().resolve("metrics.jsonl");
  }

  /** Requires that neither an adapter file nor a checkpoint of an earlier run is there. */
  void requireNoRun() throws FileAlreadyExistsException {
    if (Files.exists(output) || Files.exists(checkpoint())) {
      List<Path> paths = Stream.of(output, path()).filter(Files::exists).toList();
      throw new FileAlreadyExistsException(
          paths.getFirst().toString(),
          null,
          "a run exists already; continue it with --resume, delete %s, or choose another output"
              .formatted(paths.stream().map(Path::toString).collect(Collectors.joining(" and "))));
    }
  }

  void create() throws IOException {
    Files.createDirectories(path());
  }

  /** Draws the losses, if it can: a machine may lack the fonts that Java needs for any drawing. */
  void plot(MetricsLog log, long steps, TrainingRun.Listener listener) throws IOException {
    Path file = path().resolve("loss.svg");
    try {
      LossPlot.write(file, log.points("loss"), log.points("validationLoss"), steps);
    } catch (RuntimeException | LinkageError | InternalError e) {
      listener.warned("%s not drawn: %s".formatted(file.getFileName(), e));
    }
  }
}
