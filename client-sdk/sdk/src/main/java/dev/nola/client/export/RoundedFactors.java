package dev.nola.client.export;

import dev.nola.client.Progress;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.FloatRounding;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Factors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/** Reconstructs the modules' factors one after the other, and rounds them. */
public final class RoundedFactors {
  private final Function<Layer, Factors> factors;
  private final DType dtype;
  private final long total;
  private final Progress progress;
  private final boolean isMeasured;
  private RoundingError error = RoundingError.NONE;
  private long done;

  /** Writes one module. */
  @FunctionalInterface
  public interface Receiver {
    /**
     * Writes the factors.
     *
     * @param lora the factors of a module
     * @throws IOException if they cannot be written
     */
    void write(ModuleLora lora) throws IOException;
  }

  /** Writes the bytes of one factor. */
  @FunctionalInterface
  public interface Bytes {
    /**
     * Writes them.
     *
     * @param bytes valid until this returns
     * @throws IOException if they cannot be written
     */
    void write(MemorySegment bytes) throws IOException;
  }

  private RoundedFactors(
      Function<Layer, Factors> factors,
      DType dtype,
      long total,
      Progress progress,
      boolean isMeasured) {
    this.factors = factors;
    this.dtype = dtype;
    this.total = total;
    this.progress = progress;
    this.isMeasured = isMeasured;
  }

  /**
   * Prepares for an export.
   *
   * @param factors reconstructs a layer
   * @param dtype the type to round to
   * @param total bytes of the export
   * @param progress receives the number of bytes written
   */
  RoundedFactors(Function<Layer, Factors> factors, DType dtype, long total, Progress progress) {
    this(factors, dtype, total, progress, dtype != DType.F32);
  }

  /**
   * Prepares to measure the error of the rounding, for which each product is compared.
   *
   * @param factors reconstructs a layer
   * @param dtype the type to round to
   * @return the factors
   */
  public static RoundedFactors measured(Function<Layer, Factors> factors, DType dtype) {
    return new RoundedFactors(factors, dtype, 0, Progress.NONE);
  }

  /**
   * Prepares to make factors alone.
   *
   * @param factors reconstructs a layer
   * @param dtype the type to round to
   * @return the factors, whose {@link #error} stays none
   */
  public static RoundedFactors unmeasured(Function<Layer, Factors> factors, DType dtype) {
    return new RoundedFactors(factors, dtype, 0, Progress.NONE, false);
  }

  /**
   * Returns the type of the factors.
   *
   * @return the type
   */
  public DType dtype() {
    return dtype;
  }

  /**
   * Returns the largest error of the rounding so far.
   *
   * @return the error
   */
  public RoundingError error() {
    return error;
  }

  /**
   * Writes all modules, in the order of the plan.
   *
   * @param plan the modules and their ranks
   * @param receiver writes each
   * @throws IOException if they cannot be written
   * @throws ExportRefusedException if a value is too large for the type
   * @throws InterruptedException if the thread was interrupted
   */
  public void write(ExportPlan plan, Receiver receiver)
      throws IOException, ExportRefusedException, InterruptedException {
    for (LoraModule module : plan.modules()) {
      receiver.write(round(plan, module));
      wrote(plan.bytesOf(module, dtype));
    }
  }

  /**
   * Reconstructs one module's factors, and rounds them.
   *
   * @param plan the modules and their ranks
   * @param module one of the plan's
   * @return its factors
   * @throws ExportRefusedException if a value is too large for the type
   * @throws InterruptedException if the thread was interrupted
   */
  public ModuleLora round(ExportPlan plan, LoraModule module)
      throws ExportRefusedException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("the export was interrupted");
    }
    List<Factors> layers = module.layers().stream().map(factors).toList();
    int rank = plan.rankOf(module);
    LoraFactors exact = LoraFactors.stack(module, layers, rank);
    LoraFactors rounded = rounded(module, exact);
    if (isMeasured) {
      error = error.orLarger(exact.relativeError(rounded), module.path());
    }
    // ΔW = A·B as stored: of a Linear B·A of the LoRA, of other modules the transpose of that.
    return module.isTransposed()
        ? new ModuleLora(
            module,
            rank,
            ModuleLora.transposed(rounded.a(), rank),
            ModuleLora.transposed(rounded.b(), rounded.cols()))
        : new ModuleLora(module, rank, rounded.b(), rounded.a());
  }

  /**
   * Reports progress.
   *
   * @param bytes written beside the factors
   */
  public void wrote(long bytes) {
    done += bytes;
    progress.at(done, total);
  }

  /**
   * Encodes a factor, little-endian.
   *
   * @param rounded its elements
   * @param bytes writes them
   * @throws IOException if they cannot be written
   */
  public void encode(float[] rounded, Bytes bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment encoded = arena.allocate((long) rounded.length * dtype.bytes(), Float.BYTES);
      FloatRounding.encode(rounded, dtype, encoded);
      bytes.write(encoded);
    }
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
    float[] rounded = FloatRounding.round(values, dtype);
    for (int i = 0; i < values.length; i++) {
      if (Float.isInfinite(rounded[i])) {
        throw new ExportRefusedException(
            Reason.OVERFLOW,
            "%s: factor element too large for %3$s: %2$s; choose another type"
                .formatted(module.path(), values[i], dtype));
      }
    }
    return rounded;
  }
}
