package dev.nola.client.export.peft;

import dev.nola.client.Progress;
import dev.nola.client.export.peft.ExportRefusedException.Reason;
import dev.nola.client.peft.BaseConfig;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.peft.Rename;
import dev.nola.client.peft.StatedHead;
import dev.nola.client.peft.TaskType;
import dev.nola.client.safetensors.Model;
import dev.nola.files.StagedOutput;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An export of an adapter to a LoRA of PEFT. Immutable; equal adapters and settings give equal
 * bytes.
 *
 * <p>lora_alpha is the rank, so that nothing is scaled. Modules of smaller ranks than the largest
 * have theirs by {@code rank_pattern}; for vLLM, which has no such patterns, their factors are
 * filled up with zeros instead. Layers of several slices of one weight become one LoRA of the whole
 * weight, whose rank is the sum of theirs. With {@link DType#F32} the product of the factors is
 * exactly ΔW; the other types round the factors, and the report says by how much ΔW changes.
 *
 * <p>Refused are layers that are no LoRA of a Linear: of the direct form, of tensors with more than
 * two dimensions, and of embeddings, except input embeddings of a {@link Builder#base base model}
 * that ties no output embedding to them. A dense tensor makes PEFT keep its module whole ({@code
 * modules_to_save}); what else the module has, a bias say, is taken from the {@link Builder#base
 * base model}, without which PEFT cannot load such modules.
 *
 * <p>Interrupting the thread that exports ends the export; whatever ends it early, the destination
 * is as it was.
 */
public final class PeftExport {
  /** The file with the factors. */
  public static final String WEIGHTS = PeftFiles.WEIGHTS;

  /** The end of warnings that {@link Builder#base} would avoid. */
  public static final String NO_BASE = "the base model's folder was not named";

  /** The end of a refusal's details that {@link Builder#base} may avoid. */
  public static final String NAME_BASE = "name the base model's folder";

  /** The warning that {@link Builder#baseName} would avoid. */
  public static final String NO_NAME =
      "the name of the base model is not known, so the LoRA states none, and classes such as"
          + " AutoPeftModelForCausalLM cannot find it";

  private final AdapterFile file;
  private final DType dtype;
  private final @Nullable String baseName;
  private final @Nullable Path base;
  private final Orientation orientation;
  private final @Nullable TaskType task;
  private final @Nullable String modulePrefix;
  private final List<Rename> renames;
  private final boolean forVllm;
  private final Progress progress;

  /**
   * What an export did.
   *
   * @param modules number of modules that have a LoRA
   * @param saved number of modules that PEFT keeps whole
   * @param rank r, the largest rank of a module
   * @param bytes of all tensors
   * @param roundingError the largest ‖ΔW' − ΔW‖ / ‖ΔW‖ (Frobenius) over the modules, where ΔW' is
   *     the product of the rounded factors; 0 for {@link DType#F32}
   * @param leastExact path of the module with that error; empty if nothing was rounded
   * @param files names of the files written
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

  private PeftExport(Builder builder) {
    this.file = builder.file;
    this.dtype = builder.dtype;
    this.baseName = builder.baseName;
    this.base = builder.base;
    this.orientation = builder.orientation;
    this.task = builder.task;
    this.modulePrefix = builder.modulePrefix;
    this.renames = List.copyOf(builder.renames);
    this.forVllm = builder.forVllm;
    this.progress = builder.progress;
  }

  /**
   * Returns a builder of an export.
   *
   * @param file the adapter
   * @return the builder
   */
  public static Builder of(AdapterFile file) {
    return new Builder(file);
  }

  /**
   * Exports, beside the destination, and renames the result to it when it is complete.
   *
   * @param destination a folder that does not exist yet
   * @throws ExportRefusedException if the adapter cannot be exported so, or the destination exists
   * @throws IOException if the base cannot be read or is no model, the destination cannot be
   *     written, or the adapter's bits are not its author's
   */
  public Report write(Path destination)
      throws IOException, ExportRefusedException, InterruptedException {
    requireFree(destination);
    Adapter adapter = file.adapter();
    if (forVllm) {
      requireVllm(adapter);
    }
    List<String> warnings = new ArrayList<>();
    StatedHead head = StatedHead.of(adapter);
    if (head.problem() != null) {
      throw new ExportRefusedException(
          Reason.HEAD, "the adapter cannot be exported as a PEFT LoRA: " + head.problem());
    }
    TaskType taskType = StatedTask.of(task, adapter, head, warnings);
    try (Model model = base == null ? null : openBase(base, adapter)) {
      if (model == null && !adapter.dense().isEmpty()) {
        warnings.add(
            "PEFT loads a module that is stored whole only with all of its parameters, which were"
                + " not compared: "
                + NO_BASE);
      }
      BaseConfig config = BaseConfig.of(model);
      ExportPlan plan =
          ExportPlan.of(
              adapter,
              new ExportPaths(
                      modulePrefix, renames, head.headClass().orElse(null), taskType, warnings)
                  .of(adapter, model, config),
              orientation,
              config,
              taskType,
              model);
      StatedBase named = StatedBase.of(baseName, adapter.base(), model);
      if (named.name() == null && forVllm) {
        throw new ExportRefusedException(
            Reason.VLLM,
            "vLLM needs the name of the base model, which neither adapter nor base model states");
      }
      if (named.name() == null) {
        warnings.add(NO_NAME);
      }
      Reconstructor reconstructor = Reconstructor.standard();
      reconstructor.verify(file);
      return write(
          destination,
          named,
          forVllm ? plan.uniform() : plan,
          taskType,
          reconstructor.open(adapter),
          warnings);
    }
  }

  /**
   * Opens the base model. A quantized one has the modules that a LoRA needs, but no values to
   * complete a module that is stored whole.
   */
  private static Model openBase(Path base, Adapter adapter) throws IOException {
    return adapter.dense().isEmpty() ? Model.openQuantized(base) : Model.open(base);
  }

  private Report write(
      Path destination,
      StatedBase named,
      ExportPlan plan,
      @Nullable TaskType taskType,
      Function<Layer, Factors> factors,
      List<String> warnings)
      throws IOException, ExportRefusedException, InterruptedException {
    try (StagedOutput unfinished = StagedOutput.begin(destination)) {
      Path partial = unfinished.path();
      Files.createDirectory(partial);
      WeightsWriter weights = new WeightsWriter(plan, dtype, progress);
      RoundingError error = weights.write(partial.resolve(WEIGHTS), factors);
      Report report =
          new Report(
              plan.modules().size(),
              plan.saved().paths().size(),
              plan.rank(),
              weights.bytes(),
              error.error(),
              error.module(),
              List.of(AdapterConfig.FILE, WEIGHTS, ModelCard.FILE),
              warnings);
      AdapterConfig config = new AdapterConfig(named.name(), named.revision(), taskType, plan);
      Files.write(partial.resolve(AdapterConfig.FILE), config.toJson());
      Files.writeString(
          partial.resolve(ModelCard.FILE),
          new ModelCard(file, named.name(), taskType, dtype, report).text());
      unfinished.finish();
      return report;
    }
  }

  private void requireVllm(Adapter adapter) throws ExportRefusedException {
    List<String> embeddings =
        adapter.layers().stream()
            .map(Layer::tensor)
            .filter(name -> ModulePaths.isWordEmbedding(ModulePaths.moduleOf(name)))
            .toList();
    if (!embeddings.isEmpty()) {
      throw new ExportRefusedException(
          Reason.VLLM, "vLLM takes no LoRA of an embedding", embeddings);
    }
    List<String> others =
        adapter.dense().stream()
            .filter(tensor -> TaskType.SEQ_CLS.headOf(tensor.name()).isEmpty())
            .map(Object::toString)
            .toList();
    if (!others.isEmpty()) {
      throw new ExportRefusedException(
          Reason.VLLM,
          "vLLM replaces only modules named %s whole, but the adapter replaces other tensors"
              .formatted(String.join(" or ", TaskType.SEQ_CLS.heads())),
          others);
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
    private DType dtype = DType.F32;
    private @Nullable String baseName;
    private @Nullable Path base;
    private Orientation orientation = Orientation.AUTO;
    private @Nullable TaskType task;
    private @Nullable String modulePrefix;
    private final List<Rename> renames = new ArrayList<>();
    private boolean forVllm;
    private Progress progress = Progress.NONE;

    private Builder(AdapterFile file) {
      this.file = file;
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
     * Sets the name by which PEFT and vLLM know the base model; default: the adapter's own.
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
     * Sets whether vLLM must be able to load the export, which requires a base model's name and no
     * dense tensors but those of a classifier; default: no.
     *
     * @param forVllm true to require it
     * @return this builder
     */
    public Builder forVllm(boolean forVllm) {
      this.forVllm = forVllm;
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
    public PeftExport build() {
      return new PeftExport(this);
    }
  }
}
