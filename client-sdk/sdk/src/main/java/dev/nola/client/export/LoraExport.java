package dev.nola.client.export;

import dev.nola.client.Progress;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.Rename;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.files.StagedOutput;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An export of an adapter to a LoRA. Immutable; equal adapters and settings give equal bytes.
 *
 * <p>Nothing is scaled: alpha is the rank. Layers of several slices of one weight become one LoRA
 * of the whole weight, whose rank is the sum of theirs. With {@link DType#F32} the product of the
 * factors is exactly ΔW; the other types round the factors, and the report says by how much ΔW
 * changes.
 *
 * <p>Refused are layers that are no LoRA of a linear module: of the direct form, of tensors with
 * more than two dimensions, and of positions; each {@link ExportFormat} says what else it cannot
 * hold.
 *
 * <p>Interrupting the thread that exports ends the export; whatever ends it early, the destination
 * is as it was.
 */
public final class LoraExport {
  /** The end of warnings and refusals that {@link Builder#base} would avoid. */
  public static final String NO_BASE = "the base model's folder was not named";

  /** The end of a refusal's details that {@link Builder#base} may avoid. */
  public static final String NAME_BASE = "name the base model's folder";

  private final AdapterFile file;
  private final ExportFormat format;
  private final DType dtype;
  private final @Nullable String baseName;
  private final @Nullable Path base;
  private final Orientation orientation;
  private final @Nullable TaskType task;
  private final @Nullable String modulePrefix;
  private final List<Rename> renames;
  private final Progress progress;

  /**
   * What an export did.
   *
   * @param modules number of modules that have a LoRA
   * @param saved number of modules that are stored whole
   * @param rank r, the largest rank of a module
   * @param bytes of all tensors
   * @param roundingError the largest ‖ΔW' − ΔW‖ / ‖ΔW‖ (Frobenius) over the modules, where ΔW' is
   *     the product of the rounded factors; 0 for {@link DType#F32}
   * @param leastExact path of the module with that error; empty if nothing was rounded
   * @param files names of the files in the folder; of a single file its own
   * @param warnings what the user should know
   */
  public record Report(
      int modules,
      int saved,
      int rank,
      long bytes,
      double roundingError,
      String leastExact,
      List<String> files,
      List<String> warnings) {
    /** Copies the lists. */
    public Report {
      files = List.copyOf(files);
      warnings = List.copyOf(warnings);
    }
  }

  /**
   * What an export writes.
   *
   * @param source the adapter and what is known of its base model
   * @param plan the modules that become LoRAs
   */
  public record Planned(ExportSource source, ExportPlan plan) {}

  private LoraExport(Builder builder) {
    this.file = builder.file;
    this.format = builder.format;
    this.dtype = builder.dtype;
    this.baseName = builder.baseName;
    this.base = builder.base;
    this.orientation = builder.orientation;
    this.task = builder.task;
    this.modulePrefix = builder.modulePrefix;
    this.renames = List.copyOf(builder.renames);
    this.progress = builder.progress;
  }

  /**
   * Returns a builder of an export.
   *
   * @param file the adapter
   * @param format what to write
   * @return the builder
   */
  public static Builder of(AdapterFile file, ExportFormat format) {
    return new Builder(file, format);
  }

  /**
   * Exports, beside the destination, and renames the result to it when it is complete.
   *
   * @param destination a file or folder, as the format writes it, that does not exist yet
   * @return what was done
   * @throws ExportRefusedException if the adapter cannot be exported so, or the destination exists
   * @throws IOException if the base cannot be read or is no model, the destination cannot be
   *     written, or the adapter's bits are not its author's
   * @throws InterruptedException if the thread was interrupted
   */
  public Report write(Path destination)
      throws IOException, ExportRefusedException, InterruptedException {
    requireFree(destination);
    List<String> warnings = new ArrayList<>();
    TaskType taskType = format.task(file.adapter(), task, warnings);
    try (Model model = base == null ? null : openBase(base, file.adapter())) {
      Planned planned = plan(model, taskType, warnings);
      ExportPlan plan = planned.plan();
      ExportFormat.Findings findings = new ExportFormat.Findings(new ArrayList<>(), warnings);
      ExportLayout layout = format.layout(planned.source(), plan, findings);
      findings.requireNothingWrong(format.title());
      Reconstructor reconstructor = Reconstructor.standard();
      reconstructor.verify(file);
      RoundedFactors factors =
          new RoundedFactors(
              reconstructor.open(file.adapter()), dtype, layout.bytes(dtype), progress);
      List<String> files = write(destination, layout, factors);
      return new Report(
          plan.modules().size(),
          layout.saved(),
          plan.rank(),
          layout.bytes(dtype),
          factors.error().error(),
          factors.error().module(),
          files,
          warnings);
    }
  }

  /**
   * Decides what would be written, from what the adapter's file states alone.
   *
   * @return the modules that become LoRAs, and what they are of
   * @throws ExportRefusedException if the adapter cannot be exported so
   * @throws IOException never: no base model is read
   * @throws IllegalStateException if a base model was named
   */
  public Planned plan() throws IOException, ExportRefusedException {
    if (base != null) {
      throw new IllegalStateException("base model named: " + base + "; a plan reads none");
    }
    List<String> warnings = new ArrayList<>();
    return plan(null, format.task(file.adapter(), task, warnings), warnings);
  }

  /**
   * Opens the base model. A quantized one has the modules that a LoRA needs, but no values to
   * complete a module that is stored whole.
   */
  private static Model openBase(Path base, Adapter adapter) throws IOException {
    return adapter.dense().isEmpty() ? Model.openQuantized(base) : Model.open(base);
  }

  private ExportSource source(
      @Nullable Model model, @Nullable TaskType taskType, List<String> warnings)
      throws IOException, ExportRefusedException {
    Adapter adapter = file.adapter();
    BaseConfig config = BaseConfig.of(model);
    HeadClass head = StatedHead.of(adapter).headClass().orElse(null);
    ModulePaths paths =
        new ExportPaths(modulePrefix, renames, head, taskType, warnings).of(adapter, model, config);
    return new ExportSource(
        file, model, config, StatedBase.of(baseName, adapter.base(), model), paths, taskType);
  }

  private Planned plan(@Nullable Model model, @Nullable TaskType taskType, List<String> warnings)
      throws IOException, ExportRefusedException {
    ExportSource source = source(model, taskType, warnings);
    List<Layer> layers = file.adapter().layers();
    ExportFormat.Findings findings = new ExportFormat.Findings(new ArrayList<>(), warnings);
    ExportPlan.check(layers, findings.wrong());
    format.check(source, findings.wrong());
    if (layers.isEmpty()) {
      findings.wrong().add("it has no layers; a LoRA needs at least one");
    }
    findings.requireNothingWrong(format.title());
    Predicate<Layer> isConv1d = orientation.decide(layers, source.config());
    ExportPlan plan = ExportPlan.of(layers, source.paths(), isConv1d, findings.wrong());
    findings.requireNothingWrong(format.title());
    return new Planned(source, plan);
  }

  private static List<String> write(Path destination, ExportLayout layout, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    try (StagedOutput unfinished = StagedOutput.begin(destination)) {
      List<String> files = layout.write(unfinished.path(), factors);
      unfinished.finish();
      return files.isEmpty() ? List.of(destination.getFileName().toString()) : files;
    }
  }

  private static void requireFree(Path destination) throws ExportRefusedException {
    if (Files.exists(destination, LinkOption.NOFOLLOW_LINKS)) {
      throw new ExportRefusedException(
          Reason.DESTINATION, destination + ": already exists; remove it, or choose another file");
    }
    Path parent = destination.toAbsolutePath().normalize().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new ExportRefusedException(
          Reason.DESTINATION, destination + ": its parent folder does not exist; create it first");
    }
  }

  /** Collects settings; everything has a default. */
  public static final class Builder {
    private final AdapterFile file;
    private final ExportFormat format;
    private DType dtype = DType.F32;
    private @Nullable String baseName;
    private @Nullable Path base;
    private Orientation orientation = Orientation.AUTO;
    private @Nullable TaskType task;
    private @Nullable String modulePrefix;
    private final List<Rename> renames = new ArrayList<>();
    private Progress progress = Progress.NONE;

    private Builder(AdapterFile file, ExportFormat format) {
      this.file = file;
      this.format = format;
    }

    /**
     * Sets the type of the factors; default: {@link DType#F32}.
     *
     * @param dtype the type
     * @return this builder
     */
    public Builder dtype(DType dtype) {
      this.dtype = dtype;
      return this;
    }

    /**
     * Sets the name by which other programs know the base model; default: the adapter's own.
     *
     * @param baseName the name, such as {@code gpt2}
     * @return this builder
     */
    public Builder baseName(String baseName) {
      this.baseName = baseName;
      return this;
    }

    /**
     * Sets the base model, which gives the model type and the tensors beside dense ones; default:
     * none.
     *
     * @param base a folder or file as {@link Model#open} takes it
     * @return this builder
     */
    public Builder base(Path base) {
      this.base = base;
      return this;
    }

    /**
     * Sets how the weights are stored; default: {@link Orientation#AUTO}.
     *
     * @param orientation the orientation
     * @return this builder
     */
    public Builder orientation(Orientation orientation) {
      this.orientation = orientation;
      return this;
    }

    /**
     * Sets the task; default: the one that the adapter's metadata names, if any.
     *
     * @param task the task
     * @return this builder
     */
    public Builder task(TaskType task) {
      this.task = task;
      return this;
    }

    /**
     * Sets the prefix that turns a module's name into its path in the loaded model. By default, the
     * base model's type tells the paths, or else what the names look like.
     *
     * @param modulePrefix the prefix, such as {@code transformer.}; may be empty
     * @return this builder
     */
    public Builder modulePrefix(String modulePrefix) {
      this.modulePrefix = modulePrefix;
      return this;
    }

    /**
     * Adds a rule by which the checkpoint's name of a module becomes its path in the loaded model.
     * A name that a rule changes is not changed otherwise; rules apply in the order added.
     *
     * @param rename the rule
     * @return this builder
     */
    public Builder rename(Rename rename) {
      renames.add(rename);
      return this;
    }

    /**
     * Sets the receiver of progress updates; default: none.
     *
     * @param progress receives the number of bytes written
     * @return this builder
     */
    public Builder progress(Progress progress) {
      this.progress = progress;
      return this;
    }

    /**
     * Returns the export.
     *
     * @return the export
     */
    public LoraExport build() {
      return new LoraExport(this);
    }
  }
}
