package dev.nola.trainer.worker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder of one task: the worker puts in what the task needs, the task's process what came of
 * it.
 *
 * @param path the folder
 */
record TaskFolder(Path path) {
  /** Name of the folder with the files of a training's dataset. */
  static final String DATA = "data";

  /** Name of the folder with the files of the base model. */
  static final String MODEL = "model";

  private Path task() {
    return path.resolve("task.json");
  }

  /** Returns the job file of a training. */
  Path job() {
    return path.resolve("job.yaml");
  }

  /** Returns the adapter file, which a training writes and other tasks read. */
  Path adapter() {
    return path.resolve("adapter.nola");
  }

  Path data() {
    return path.resolve(DATA);
  }

  Path model() {
    return path.resolve(MODEL);
  }

  /** Returns the folder that an export writes before it is packed. */
  Path exported() {
    return path.resolve("peft");
  }

  /** Returns the result of an export. */
  Path archive() {
    return path.resolve("result.zip");
  }

  /** Returns the result of a verification, a {@code Reconstruction} in JSON. */
  Path reconstruction() {
    return path.resolve("reconstruction.json");
  }

  void write(Task task) throws IOException {
    Files.write(task(), JsonMapper.shared().writerFor(Task.class).writeValueAsBytes(task));
  }

  Task read() throws IOException {
    return JsonMapper.shared().readValue(Files.readAllBytes(task()), Task.class);
  }
}
