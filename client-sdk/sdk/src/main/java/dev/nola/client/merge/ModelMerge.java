package dev.nola.client.merge;

import dev.nola.client.Progress;
import dev.nola.client.safetensors.Model;
import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A merge of adapters into a base model. Immutable; the merged model depends on base, adapters,
 * weights and type alone, never on the number of threads.
 *
 * <p>Interrupting the thread that merges ends the merge; whatever ends it early, the destination is
 * as it was.
 */
public final class ModelMerge {
  private final Path base;
  private final List<Weighted> adapters;
  private final BaseCheck baseCheck;
  private final boolean reshape;
  private final @Nullable DType dtype;
  private final int threads;
  private final Progress progress;
  private final @Nullable CudaDevice gpu;

  /**
   * An adapter and its weight.
   *
   * @param file the adapter
   * @param weight w in W + w·ΔW
   */
  private record Weighted(AdapterFile file, double weight) {}

  /** What to do about a base model that an adapter was not made for. */
  public enum BaseCheck {
    /** Refuse it. */
    REQUIRE,
    /** Warn of it. */
    WARN,
    /** Do not read the base model to find out. */
    SKIP
  }

  /**
   * What a merge did, or would do.
   *
   * @param merged number of tensors that adapters were added to
   * @param replaced number of tensors that adapters brought along
   * @param copied number of tensors taken over byte for byte
   * @param typeChanged number of other tensors, of which only the type has changed
   * @param bytes of all tensors
   * @param files names of the files beside the weights that were copied
   * @param left names of those that were not, because they hold other weights, or pickles
   * @param warnings what the user should know
   */
  public record Report(
      long merged,
      long replaced,
      long copied,
      long typeChanged,
      long bytes,
      List<String> files,
      List<String> left,
      List<String> warnings) {
    /** Copies the lists. */
    public Report {
      files = List.copyOf(files);
      left = List.copyOf(left);
      warnings = List.copyOf(warnings);
    }
  }

  private ModelMerge(Builder builder) {
    if (builder.adapters.isEmpty()) {
      throw new IllegalArgumentException("no adapters to merge; needs at least one");
    }
    this.base = builder.base;
    this.adapters = List.copyOf(builder.adapters);
    this.baseCheck = builder.baseCheck;
    this.reshape = builder.reshape;
    this.dtype = builder.dtype;
    this.threads = builder.threads;
    this.progress = builder.progress;
    this.gpu = builder.gpu;
  }

  /**
   * Returns a builder of a merge into a model.
   *
   * @param base a safetensors file, or a folder as {@link Model#open} takes it
   * @return the builder
   */
  public static Builder into(Path base) {
    return new Builder(base);
  }

  /**
   * Finds out whether the merge is possible and what it would do, and writes nothing.
   *
   * @throws MergeRefusedException if it is not
   * @throws IOException if the base cannot be read or is no model, or an adapter's bits are not its
   *     author's
   */
  public Report dryRun() throws IOException, MergeRefusedException, InterruptedException {
    try (Model model = Model.open(base)) {
      TensorNames names = TensorNames.of(model);
      Plan plan = plan(model, names);
      List<String> ofBase = new BaseComparison(model, names, threads).check(files(), baseCheck);
      return report(plan, SideFiles.of(model), ofBase);
    }
  }

  /**
   * Merges, beside the destination, and renames the result to it when it is complete. The base is
   * read once: whether an adapter was made for it is known when all of it has been merged.
   *
   * @param destination a file if the base is one, else a folder; must not exist yet
   * @throws MergeRefusedException if the merge is not possible, or the destination exists or lies
   *     in the base
   * @throws IOException if the base cannot be read or is no model, the destination cannot be
   *     written, or an adapter's bits are not its author's
   * @throws CudaException if the GPU's memory does not suffice for the adapters, or the GPU fails
   */
  public Report write(Path destination)
      throws IOException, MergeRefusedException, InterruptedException {
    try (Model model = Model.open(base)) {
      requireFree(destination);
      TensorNames names = TensorNames.of(model);
      Plan plan = plan(model, names);
      List<AdapterFile> files = files();
      List<Double> weights = adapters.stream().map(Weighted::weight).toList();
      try (GpuMerge onGpu = gpu == null ? null : new GpuMerge(gpu, files, weights);
          StagedOutput unfinished = StagedOutput.begin(destination)) {
        Summands summands = Summands.open(files, weights, reconstructor(), threads, onGpu);
        SideFiles side = SideFiles.of(model);
        Map<String, Sha256> contents =
            new MergedModelWriter(model, plan, summands, threads, progress, hashesBase())
                .write(unfinished.path(), side.copied());
        List<String> ofBase =
            new BaseComparison(model, names, threads).check(files, baseCheck, contents);
        unfinished.finish();
        List<String> warnings = new ArrayList<>(ofBase);
        if (onGpu != null) {
          warnings.addAll(onGpu.warnings(plan.count(Plan.Part.Merged.class)));
        }
        return report(plan, side, warnings);
      }
    }
  }

  private List<AdapterFile> files() {
    return adapters.stream().map(Weighted::file).toList();
  }

  private boolean hashesBase() {
    return baseCheck != BaseCheck.SKIP
        && files().stream().anyMatch(file -> file.adapter().base().identity() != null);
  }

  private void requireFree(Path destination) throws IOException, MergeRefusedException {
    if (Files.exists(destination, LinkOption.NOFOLLOW_LINKS)) {
      throw new MergeRefusedException(
          MergeRefusedException.Reason.DESTINATION,
          destination + ": already exists; remove it, or choose another file");
    }
    Path parent = destination.toAbsolutePath().normalize().getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new MergeRefusedException(
          MergeRefusedException.Reason.DESTINATION,
          destination + ": its parent folder does not exist; create it first");
    }
    if (Files.isDirectory(base) && parent.toRealPath().startsWith(base.toRealPath())) {
      throw new MergeRefusedException(
          MergeRefusedException.Reason.DESTINATION,
          destination + " is inside the base model's folder; choose another destination");
    }
  }

  private Plan plan(Model model, TensorNames names) throws IOException, MergeRefusedException {
    List<AdapterFile> files = files();
    Plan plan = Plan.of(model, files, names, reshape, dtype, MergedHead.of(model, files));
    List<String> warnings = new ArrayList<>(plan.warnings());
    for (Weighted adapter : adapters) {
      if (adapter.weight != 1 && !adapter.file.adapter().dense().isEmpty()) {
        warnings.add(
            "an adapter of weight %s has %d dense tensors; these replace the base model's tensors and are not weighted"
                .formatted(adapter.weight, adapter.file.adapter().dense().size()));
      }
    }
    verify(files);
    return new Plan(plan.files(), plan.dtype(), plan.untied(), plan.head(), warnings);
  }

  private void verify(List<AdapterFile> files) throws IOException {
    if (gpu == null) {
      for (AdapterFile file : files) {
        reconstructor().verify(file);
      }
      return;
    }
    try (CudaBackend backend = CudaBackend.on(gpu)) {
      for (AdapterFile file : files) {
        backend.verify(file);
      }
    }
  }

  /** Adapters are reconstructed once or twice here, beside a whole model. */
  private Reconstructor reconstructor() {
    return Reconstructor.standard()
        .withKernel(Kernels.forShortRuns(Kernels.chosen()))
        .withThreads(threads);
  }

  private static Report report(Plan plan, SideFiles side, List<String> warnings) {
    long bytes =
        plan.files().values().stream()
            .flatMap(List::stream)
            .mapToLong(part -> part.slot().bytes())
            .sum();
    return new Report(
        plan.count(Plan.Part.Merged.class),
        plan.count(Plan.Part.Dense.class),
        plan.count(Plan.Part.Copied.class) - plan.converted(),
        plan.converted(),
        bytes,
        side.copied(),
        side.left(),
        Stream.concat(plan.warnings().stream(), warnings.stream()).toList());
  }

  /** Collects what a merge needs; only adapters have no default. */
  public static final class Builder {
    private final Path base;
    private final List<Weighted> adapters = new ArrayList<>();
    private BaseCheck baseCheck = BaseCheck.REQUIRE;
    private boolean reshape;
    private @Nullable DType dtype;
    private int threads = Runtime.getRuntime().availableProcessors();
    private Progress progress = Progress.NONE;
    private @Nullable CudaDevice gpu;

    private Builder(Path base) {
      this.base = base;
    }

    /**
     * Adds an adapter with weight 1.
     *
     * @param file the adapter
     * @return this builder
     */
    public Builder adapter(AdapterFile file) {
      return adapter(file, 1);
    }

    /**
     * Adds an adapter, after those added before it.
     *
     * @param file the adapter
     * @param weight w in W + w·ΔW
     * @return this builder
     * @throws IllegalArgumentException if {@code weight} is not finite
     */
    public Builder adapter(AdapterFile file, double weight) {
      if (!Double.isFinite(weight)) {
        throw new IllegalArgumentException(
            "invalid adapter weight: " + weight + "; must be finite");
      }
      adapters.add(new Weighted(file, weight));
      return this;
    }

    /**
     * Sets how to treat a base model other than the adapter's; default: {@link BaseCheck#REQUIRE}.
     *
     * @param baseCheck the policy
     * @return this builder
     */
    public Builder baseCheck(BaseCheck baseCheck) {
      this.baseCheck = baseCheck;
      return this;
    }

    /**
     * Sets whether a dense tensor may replace a tensor of another shape, as after a change of the
     * vocabulary, or of a type that is not F32, F16 or BF16; default: no. Among these three types
     * it is converted to that of the tensor that it replaces.
     *
     * @param reshape true to allow it
     * @return this builder
     */
    public Builder reshape(boolean reshape) {
      this.reshape = reshape;
      return this;
    }

    /**
     * Sets the type that all floating tensors of the merged model get; default: each keeps its own.
     * Where it differs from the base's, W + ΔW is rounded to f32 and then to the type.
     *
     * @param dtype the type
     * @return this builder
     */
    public Builder dtype(DType dtype) {
      this.dtype = dtype;
      return this;
    }

    /**
     * Sets the number of threads; default: all processors.
     *
     * @param threads at least 1
     * @return this builder
     * @throws IllegalArgumentException if there is not at least one
     */
    public Builder threads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException(
            "invalid number of threads: " + threads + "; must be at least 1");
      }
      this.threads = threads;
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
     * Sets a GPU to merge on; default: the CPU. The merged model is the same. Tensors that the
     * GPU's memory cannot hold are merged on the CPU.
     *
     * @param gpu the GPU, which stays open
     * @return this builder
     */
    public Builder gpu(CudaDevice gpu) {
      this.gpu = gpu;
      return this;
    }

    /**
     * Returns the merge.
     *
     * @return the merge
     * @throws IllegalArgumentException if no adapter was added
     */
    public ModelMerge build() {
      return new ModelMerge(this);
    }
  }
}
