package dev.nola.client.export.peft;

import dev.nola.client.Progress;
import dev.nola.client.export.peft.ExportRefusedException.Reason;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Factors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Writes {@code adapter_model.safetensors}: the rounded factors and the modules saved whole. */
final class WeightsWriter {
  private final ExportPlan plan;
  private final DType dtype;
  private final Progress progress;
  private final List<Slot> slots;

  /**
   * @param dtype the type of the factors
   * @param progress receives the number of bytes written
   */
  WeightsWriter(ExportPlan plan, DType dtype, Progress progress) {
    this.plan = plan;
    this.dtype = dtype;
    this.progress = progress;
    this.slots = slots(plan, dtype);
  }

  private static List<Slot> slots(ExportPlan plan, DType dtype) {
    List<Slot> slots = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      long inputs = module.isTransposed() ? module.rows() : module.cols();
      long out = module.isTransposed() ? module.cols() : module.rows();
      long rank = plan.rankOf(module);
      slots.add(slot(keyOfA(module), dtype, rank, inputs));
      slots.add(slot(keyOfB(module), dtype, out, rank));
    }
    plan.saved().tensors().forEach(tensor -> slots.add(tensor.slot()));
    return slots;
  }

  private static Slot slot(String key, DType dtype, long rows, long cols) {
    return new Slot(key, dtype.name(), List.of(rows, cols), rows * cols * dtype.bytes());
  }

  /** Returns the size of all tensors in bytes. */
  long bytes() {
    return slots.stream().mapToLong(Slot::bytes).sum();
  }

  private static String keyOfA(LoraModule module) {
    return key(module, "A");
  }

  private static String keyOfB(LoraModule module) {
    return key(module, "B");
  }

  private static String key(LoraModule module, String factor) {
    String name =
        module.kind() == LoraModule.Kind.EMBEDDING
            ? ".lora_embedding_" + factor
            : ".lora_" + factor + ".weight";
    return ExportPlan.KEY_PREFIX + module.path() + name;
  }

  /**
   * Writes the file.
   *
   * @param factors reconstructs a layer
   * @return the largest error of the rounding
   */
  RoundingError write(Path path, Function<Layer, Factors> factors)
      throws IOException, ExportRefusedException, InterruptedException {
    RoundingError error = RoundingError.NONE;
    long total = bytes();
    long done = 0;
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, slots, Map.of("format", "pt"))) {
      for (LoraModule module : plan.modules()) {
        if (Thread.interrupted()) {
          throw new InterruptedException("the export was interrupted");
        }
        List<Factors> layers = module.layers().stream().map(factors).toList();
        LoraFactors exact = LoraFactors.stack(module, layers, plan.rankOf(module));
        LoraFactors rounded = rounded(module, exact);
        if (dtype != DType.F32) {
          error = error.orLarger(exact.relativeError(rounded), module.path());
        }
        // ΔW = A·B as stored: of a Linear lora_B·lora_A, of other modules the transpose of that.
        if (module.isTransposed()) {
          done += write(writer, keyOfA(module), transposed(rounded.a(), rounded.rank()));
          done += write(writer, keyOfB(module), transposed(rounded.b(), rounded.cols()));
        } else {
          done += write(writer, keyOfA(module), rounded.b());
          done += write(writer, keyOfB(module), rounded.a());
        }
        progress.at(done, total);
      }
      for (SavedTensor tensor : plan.saved().tensors()) {
        writer.write(tensor.slot().name(), tensor.data());
        done += tensor.data().byteSize();
        progress.at(done, total);
      }
    }
    return error;
  }

  private LoraFactors rounded(LoraModule module, LoraFactors exact) throws ExportRefusedException {
    return new LoraFactors(
        exact.rows(),
        exact.cols(),
        exact.rank(),
        rounded(module, exact.a()),
        rounded(module, exact.b()));
  }

  private float[] rounded(LoraModule module, float[] values) throws ExportRefusedException {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = FloatRounding.round(values[i], dtype);
      if (Float.isInfinite(rounded[i])) {
        throw new ExportRefusedException(
            Reason.OVERFLOW,
            "%s: factor element too large for %3$s: %2$s; choose another type"
                .formatted(module.path(), values[i], dtype));
      }
    }
    return rounded;
  }

  private long write(SafetensorsWriter writer, String key, float[] rounded) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate((long) rounded.length * dtype.bytes());
      FloatRounding.encode(rounded, dtype, bytes);
      writer.write(key, bytes);
      return bytes.byteSize();
    }
  }

  private static float[] transposed(float[] matrix, int cols) {
    int rows = matrix.length / cols;
    float[] transposed = new float[matrix.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        transposed[j * rows + i] = matrix[i * cols + j];
      }
    }
    return transposed;
  }
}
