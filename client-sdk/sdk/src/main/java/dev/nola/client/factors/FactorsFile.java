package dev.nola.client.factors;

import dev.nola.client.Progress;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.files.StagedOutput;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A safetensors file of an adapter's factors or deltas, in f32.
 *
 * <p>A layer of tensor {@code T} gives {@code T.nola_A} of R×r and {@code T.nola_B} of r×C, or
 * {@code T.nola_delta}: ΔW in the tensor's stored shape. A layer of the direct form has only the
 * latter. Where a slice is adapted, {@code T} is followed by {@code [dim:start:end]}. Dense tensors
 * keep their names and bytes.
 */
public final class FactorsFile {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PART = 1 << 16;

  /** What to write of a layer. */
  public enum Form {
    /** A and B, exactly; of the direct form ΔW. */
    FACTORS,
    /** ΔW, rounded to f32. */
    DELTAS
  }

  private FactorsFile() {}

  /**
   * Reconstructs an adapter, compares its digest, and writes what came of it beside the
   * destination, which appears when it is complete.
   *
   * @param file the adapter
   * @param form what to write of each layer
   * @param destination must not exist yet
   * @param progress receives the number of bytes written
   * @throws dev.nola.format.DigestMismatchException if the bits are not the author's
   * @throws IOException if it cannot be written
   */
  public static void write(AdapterFile file, Form form, Path destination, Progress progress)
      throws IOException, InterruptedException {
    Adapter adapter = file.adapter();
    try (StagedOutput unfinished = StagedOutput.begin(destination)) {
      Reconstructor reconstructor = Reconstructor.standard();
      reconstructor.verify(file);
      Function<Layer, Factors> reconstruct = reconstructor.open(adapter);
      List<Slot> slots = new ArrayList<>();
      adapter.layers().forEach(layer -> slots.addAll(slots(layer, form)));
      adapter.dense().forEach(tensor -> slots.add(slot(tensor)));
      long total = slots.stream().mapToLong(Slot::bytes).sum();
      long done = 0;
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(
              unfinished.path(),
              slots,
              Map.of("nola.reconstructionDigest", file.reconstructionDigest().toString()))) {
        for (Layer layer : adapter.layers()) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
          write(writer, reconstruct.apply(layer), form);
          done += slots(layer, form).stream().mapToLong(Slot::bytes).sum();
          progress.at(done, total);
        }
        for (DenseTensor tensor : adapter.dense()) {
          writer.write(tensor.name(), tensor.data());
        }
      }
      progress.at(total, total);
      unfinished.finish();
    }
  }

  private static List<Slot> slots(Layer layer, Form form) {
    if (form == Form.FACTORS && layer.coefficients() instanceof LowRank lowRank) {
      return List.of(
          slot(name(layer, "A"), List.of(layer.rows(), lowRank.rank())),
          slot(name(layer, "B"), List.of(lowRank.rank(), layer.cols())));
    }
    List<Integer> shape = new ArrayList<>(layer.shape());
    Slice slice = layer.slice();
    if (slice != null) {
      shape.set(slice.dim(), slice.length());
    }
    return List.of(slot(name(layer, "delta"), shape));
  }

  private static Slot slot(String name, List<Integer> shape) {
    List<Long> dims = shape.stream().map(Integer::longValue).toList();
    long elements = dims.stream().reduce(1L, Math::multiplyExact);
    return new Slot(name, DType.F32.name(), dims, elements * Float.BYTES);
  }

  private static Slot slot(DenseTensor tensor) {
    return new Slot(
        tensor.name(),
        tensor.dtype().name(),
        tensor.shape().stream().map(Integer::longValue).toList(),
        tensor.data().byteSize());
  }

  private static String name(Layer layer, String part) {
    Slice slice = layer.slice();
    String suffix =
        slice == null ? "" : "[" + slice.dim() + ":" + slice.start() + ":" + slice.end() + "]";
    return layer.tensor() + suffix + ".nola_" + part;
  }

  private static void write(SafetensorsWriter writer, Factors factors, Form form)
      throws IOException {
    Layer layer = factors.layer();
    float[] b = factors.b();
    if (form == Form.FACTORS && b != null) {
      write(writer, name(layer, "A"), 0, factors.a(), factors.a().length);
      write(writer, name(layer, "B"), 0, b, b.length);
      return;
    }
    double[] delta = new double[PART];
    float[] rounded = new float[PART];
    for (long first = 0; first < layer.elements(); first += PART) {
      int count = (int) Math.min(PART, layer.elements() - first);
      factors.delta(first, delta, count);
      for (int i = 0; i < count; i++) {
        rounded[i] = (float) delta[i];
      }
      write(writer, name(layer, "delta"), first, rounded, count);
    }
  }

  private static void write(
      SafetensorsWriter writer, String tensor, long first, float[] values, int count)
      throws IOException {
    byte[] bytes = new byte[Math.min(count, PART) * Float.BYTES];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    for (int done = 0; done < count; done += PART) {
      int part = Math.min(PART, count - done);
      MemorySegment.copy(values, done, segment, FLOAT, 0, part);
      writer.write(
          tensor, (first + done) * Float.BYTES, segment.asSlice(0, (long) part * Float.BYTES));
    }
  }
}
