package dev.nola.trainer.training;

import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.client.safetensors.Tensor;
import dev.nola.files.AtomicFile;
import dev.nola.format.DType;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.Parameter;
import dev.nola.trainer.model.FloatElements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that a run needs to continue, as a safetensors file: parameters, the optimizer's moments,
 * what forward passes change, and the number of the last step, which determines the position in the
 * data and the learning rate. A new checkpoint replaces the old one as a whole.
 */
final class Checkpoint {
  private static final String STEP = "step";
  private static final String VALUE = "value";

  private Checkpoint() {}

  /**
   * Where a run continues.
   *
   * @param step number of the last step
   * @param run what the run depends on, with what it was before
   */
  record Resumed(long step, RunIdentity run) {}

  /**
   * Writes a checkpoint.
   *
   * @param path file to write
   * @param run what the run depends on; a checkpoint of another run is refused
   * @param step number of the last step
   * @param weights what is trained, and what steps change otherwise
   * @param optimizer optimizer with the moments
   * @throws IOException if the file cannot be written
   */
  static void write(Path path, RunIdentity run, long step, AdaptedWeights weights, AdamW optimizer)
      throws IOException {
    List<Parameter> parameters = weights.parameters();
    List<Slot> slots = new ArrayList<>();
    for (int p = 0; p < parameters.size(); p++) {
      long count = parameters.get(p).values().length;
      for (String kind : List.of(VALUE, "mean", "square")) {
        slots.add(new Slot(name(kind, parameters.get(p)), "F32", List.of(count), 4 * count));
      }
    }
    for (Parameter statistic : weights.statistics()) {
      long count = statistic.values().length;
      slots.add(new Slot(name(VALUE, statistic), "F32", List.of(count), 4 * count));
    }
    Path part = path.resolveSibling("." + path.getFileName() + ".part");
    Files.deleteIfExists(part); // of a process that was killed
    Map<String, String> metadata = new LinkedHashMap<>(run.metadata());
    metadata.put(STEP, Long.toString(step));
    try (SafetensorsWriter writer = SafetensorsWriter.create(part, slots, metadata)) {
      for (int p = 0; p < parameters.size(); p++) {
        Parameter parameter = parameters.get(p);
        write(writer, name(VALUE, parameter), parameter.values());
        write(writer, name("mean", parameter), optimizer.means()[p]);
        write(writer, name("square", parameter), optimizer.squares()[p]);
      }
      for (Parameter statistic : weights.statistics()) {
        write(writer, name(VALUE, statistic), statistic.values());
      }
    }
    AtomicFile.promote(part, path);
  }

  private static void write(SafetensorsWriter writer, String name, float[] values)
      throws IOException {
    writer.write(name, FloatElements.narrowed(DType.F32, values));
  }

  private static String name(String kind, Parameter parameter) {
    return kind + " " + parameter.name();
  }

  /**
   * Reads a checkpoint into parameters and optimizer.
   *
   * @param path file to read
   * @param run what the run depends on
   * @param weights receive the values
   * @param optimizer receives the moments
   * @return where the run continues
   * @throws IOException if the file is damaged, or belongs to another run
   */
  static Resumed read(Path path, RunIdentity run, AdaptedWeights weights, AdamW optimizer)
      throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      Map<String, String> metadata = file.metadata();
      long step = Long.parseLong(metadata.getOrDefault(STEP, "0"));
      List<String> differences = run.differences(metadata, step);
      if (!differences.isEmpty()) {
        throw new IOException(
            "%s does not continue with this job: %s; undo the change, delete the checkpoint, or choose another output"
                .formatted(path, String.join("; ", differences)));
      }
      List<Parameter> parameters = weights.parameters();
      for (int p = 0; p < parameters.size(); p++) {
        Parameter parameter = parameters.get(p);
        read(path, file, name(VALUE, parameter), parameter.values());
        read(path, file, name("mean", parameter), optimizer.means()[p]);
        read(path, file, name("square", parameter), optimizer.squares()[p]);
      }
      for (Parameter statistic : weights.statistics()) {
        read(path, file, name(VALUE, statistic), statistic.values());
      }
      return new Resumed(step, run.continuing(metadata, step));
    }
  }

  private static void read(Path path, SafetensorsFile file, String name, float[] values)
      throws IOException {
    Tensor tensor = file.tensors().get(name);
    if (tensor == null || tensor.data().byteSize() != 4L * values.length) {
      throw new IOException("%s has no \"%s\" of %d values".formatted(path, name, values.length));
    }
    System.arraycopy(FloatElements.widened(DType.F32, tensor.data()), 0, values, 0, values.length);
  }
}
