package dev.nola.client.lora;

import dev.nola.client.lora.ImportRefusedException.Reason;
import dev.nola.client.lora.ImportReport.DeltaError;
import dev.nola.client.merge.TensorNames;
import dev.nola.client.peft.ModulePaths;
import dev.nola.client.peft.ProductError;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.BaseIdentity;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An import of a LoRA of PEFT. Immutable; equal files and settings give equal bytes, except that a
 * base model is not named if a folder nearby has its name, which may be what the config means.
 *
 * <p>Each factor is quantized by itself. What PEFT stores whole ({@code modules_to_save}, resized
 * embeddings) becomes dense tensors. Everything that changes a model in another way is refused by
 * name: other methods than LoRA, DoRA, biases, trained tokens, and initializations that change the
 * base weights.
 *
 * <p>The base model tells how its tensors are named and stored. Without it, names are taken from
 * the paths of the modules, and a LoRA of parameters ({@code target_parameters}) is refused.
 */
public final class LoraImport {
  /** The width of a code if none is set: less error than rounding factors in f32 to f16. */
  public static final int DEFAULT_BITS = 16;

  /** The error of ΔW in a module of which to warn. */
  private static final double LARGE_ERROR = 0.1;

  private final Path path;
  private final int bits;
  private final @Nullable Path base;
  private final boolean statesIdentity;
  private final List<String> labels;

  private LoraImport(Builder builder) {
    this.path = builder.path;
    this.bits = builder.bits;
    this.base = builder.base;
    this.statesIdentity = builder.statesIdentity;
    this.labels = builder.labels;
  }

  /**
   * Returns a builder of an import.
   *
   * @param path the folder that PEFT saved, or its {@code adapter_model.safetensors}
   * @return the builder
   */
  public static Builder of(Path path) {
    return new Builder(path);
  }

  /**
   * Returns whether a path can only mean an adapter of PEFT, or something else that is not an
   * adapter file: a folder, a safetensors file, or a file named as PEFT names its own.
   *
   * @param path a path that exists
   * @return true if {@link #read} says what it is, or what is wrong with it
   */
  public static boolean isMeantBy(Path path) {
    return PeftFolder.isMeant(path);
  }

  /**
   * Reads and quantizes the LoRA.
   *
   * @return the adapter, with its digest, and what has changed
   * @throws ImportRefusedException if the path is not a LoRA of PEFT, or not one that an adapter
   *     can express
   * @throws IOException if a file cannot be read, or breaks a rule of its format
   * @throws InterruptedException if the thread is interrupted
   */
  public ImportedLora read() throws IOException, ImportRefusedException, InterruptedException {
    PeftFolder folder = PeftFolder.of(path);
    LoraConfig config = LoraConfig.read(folder.config());
    try (SafetensorsFile weights = SafetensorsFile.open(folder.weights());
        NamedBase named = base == null ? null : NamedBase.open(base)) {
      LoraTensors tensors = LoraTensors.of(weights, config);
      return read(folder, config, tensors, named);
    } catch (CancellationException | ClosedByInterruptException e) {
      Thread.interrupted();
      throw new InterruptedException("the import was interrupted");
    }
  }

  /** Ends the work of all threads if the one that waits for it was interrupted. */
  private static void check(Thread caller) {
    if (caller.isInterrupted()) {
      throw new CancellationException();
    }
  }

  private ImportedLora read(
      PeftFolder folder, LoraConfig config, LoraTensors tensors, @Nullable NamedBase named)
      throws IOException, ImportRefusedException {
    List<String> notes = new ArrayList<>(config.notes());
    List<String> wrong = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    SavedTensors saved = new SavedTensors(config, named, notes, warnings, wrong);
    saved.add(tensors);
    SequencedMap<LoraPair, Target> targets =
        new Targets(config, named, saved.embedded()).find(tensors);
    SequencedMap<LoraPair, Target> quantizable = new LinkedHashMap<>();
    targets.forEach(
        (pair, target) -> {
          if (saved.embedded().containsKey(pair.module())) {
            saved.fold(pair, target, config.scaling(target.key()));
          } else {
            quantizable.put(pair, target);
          }
        });
    Thread caller = Thread.currentThread();
    List<QuantizedModule> modules =
        quantizable.entrySet().parallelStream()
            .map(
                entry ->
                    QuantizedModule.of(
                        entry.getKey(),
                        entry.getValue(),
                        config.scaling(entry.getValue().key()),
                        bits,
                        () -> check(caller)))
            .toList();
    for (QuantizedModule module : modules) {
      wrong.addAll(module.wrong());
      if (module.quantization().relative() >= 1) {
        wrong.add(
            "%s: quantizing its factors at %s would change ΔW by %s times its norm; must be less than 1"
                .formatted(module.key(), widthOf(bits), digits(module.quantization().relative())));
      }
    }
    ImportedHead head = ImportedHead.of(config, named, saved.dense(), labels, notes, wrong);
    if (!wrong.isEmpty()) {
      throw new ImportRefusedException(
          Reason.CONTENT, folder.weights() + ": cannot be imported as a LoRA", wrong);
    }
    addNotes(quantizable, modules, named, notes);
    DeltaError quantization = error(modules, QuantizedModule::quantization);
    if (quantization.largest() >= LARGE_ERROR) {
      warnings.add(
          "quantizing the factors at %s changes ΔW by %s of its norm in %s; more bits change it less"
              .formatted(widthOf(bits), digits(quantization.largest()), quantization.module()));
    }
    String ignored = new ConfigTargets(config).warning(tensors.pairs());
    if (ignored != null) {
      warnings.add(ignored);
    }
    LoraDescription description = new LoraDescription(config);
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(Generator.IDENTITY)
            .base(description.base(statesIdentity ? identity(modules, named) : null, notes))
            .metadata(
                description.metadata(
                    targets.values().stream().map(Target::key).toList(),
                    tensors.types(),
                    bits,
                    Sha256.hash(folder.weights()),
                    head));
    modules.forEach(module -> module.layers().forEach(adapter::layer));
    saved.dense().forEach(adapter::dense);
    return new ImportedLora(
        seal(folder, adapter),
        new ImportReport(
            modules.size(),
            saved.dense().size(),
            Files.size(folder.weights()),
            quantization,
            error(modules, QuantizedModule::f16),
            notes,
            warnings));
  }

  private static AdapterFile seal(PeftFolder folder, Adapter.Builder adapter)
      throws IOException, ImportRefusedException {
    Adapter built;
    try {
      built = adapter.build();
    } catch (IllegalArgumentException e) {
      throw new ImportRefusedException(
          Reason.CONTENT,
          "%s: cannot be imported as a LoRA: %s".formatted(folder.weights(), e.getMessage()));
    }
    return Reconstructor.standard().seal(built);
  }

  /** The identity of the base, of the tensors that layers adapt; null if it is not known. */
  private static @Nullable Sha256 identity(
      List<QuantizedModule> modules, @Nullable NamedBase named) {
    if (named == null || modules.isEmpty()) {
      return null;
    }
    Set<String> names = new TreeSet<>();
    modules.forEach(module -> module.layers().forEach(layer -> names.add(layer.tensor())));
    return BaseIdentity.of(names.parallelStream().map(name -> identity(name, named)).toList());
  }

  private static BaseIdentity.Tensor identity(String name, NamedBase named) {
    TensorNames.Found found = named.find(name, new ArrayList<>());
    if (found == null) {
      throw new AssertionError("tensor " + name + " was found before");
    }
    return NamedBase.identity(name, found.tensor());
  }

  private static void addNotes(
      Map<LoraPair, Target> targets,
      List<QuantizedModule> modules,
      @Nullable NamedBase named,
      List<String> notes) {
    for (Map.Entry<LoraPair, Target> entry : targets.entrySet()) {
      String path = entry.getKey().module() + ".weight";
      String tensor = entry.getValue().tensor();
      if (named == null) {
        notes.add(
            "names of tensors were taken from the paths of modules, such as %s; nola import-peft --base checks them"
                .formatted(tensor));
        break;
      }
      boolean isOfModule = entry.getValue().key().equals(entry.getKey().module());
      if (!entry.getValue().parts().isEmpty() || isOfModule && !tensor.equals(path)) {
        notes.add(
            "names of tensors are those of the base model, such as %s for %s"
                .formatted(tensor, isOfModule ? path : entry.getValue().key()));
        break;
      }
    }
    targets.forEach(
        (pair, target) -> {
          if (pair.isEmbedding()
              && ModulePaths.isWordEmbedding(pair.module())
              && (named == null || named.names().sharesEmbedding())) {
            notes.add(
                "%s: a merge changes the output embedding as well%s, as a merge by PEFT does"
                    .formatted(
                        target.tensor(),
                        named == null ? " if the base model ties it to this one" : ""));
          }
        });
    if (!modules.isEmpty()
        && modules.stream().allMatch(module -> module.quantization().norm() == 0)) {
      notes.add("ΔW is zero for every module: the LoRA has not been trained");
    }
  }

  private static String widthOf(int bits) {
    return bits + (bits == 1 ? " bit" : " bits");
  }

  private static String digits(double error) {
    return String.format(Locale.ROOT, "%.2g", error);
  }

  private static DeltaError error(
      List<QuantizedModule> modules, Function<QuantizedModule, ProductError> of) {
    ProductError sum = ProductError.NONE;
    double largest = 0;
    String key = "";
    for (QuantizedModule module : modules) {
      ProductError error = of.apply(module);
      sum = sum.plus(error);
      if (error.relative() > largest) {
        largest = error.relative();
        key = module.key();
      }
    }
    return new DeltaError(sum.relative(), largest, key);
  }

  /** Collects the settings of an import. */
  public static final class Builder {
    private final Path path;
    private int bits = DEFAULT_BITS;
    private @Nullable Path base;
    private boolean statesIdentity = true;
    private List<String> labels = List.of();

    private Builder(Path path) {
      this.path = path;
    }

    /**
     * Sets the width of a code; default: {@value #DEFAULT_BITS}.
     *
     * @param bits 1 to 16
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public Builder bits(int bits) {
      if (bits < 1 || bits > Generator.MAX_BITS) {
        throw new IllegalArgumentException(
            "invalid code width: %d bits; must be 1 to %d".formatted(bits, Generator.MAX_BITS));
      }
      this.bits = bits;
      return this;
    }

    /**
     * Sets the base model, by which names and shapes are checked; default: none.
     *
     * @param base a safetensors file, or a folder in the Hugging Face layout
     * @return this builder
     */
    public Builder base(Path base) {
      this.base = base;
      return this;
    }

    /**
     * Sets whether the adapter states the identity of the base model; default: it does, if there is
     * one. Leave it out if the base model may not be the one that the LoRA was trained on.
     *
     * @param statesIdentity false to leave it out
     * @return this builder
     */
    public Builder statesIdentity(boolean statesIdentity) {
      this.statesIdentity = statesIdentity;
      return this;
    }

    /**
     * Sets the names of the classifier's classes; default: those in the config of the base model,
     * if their number is right.
     *
     * @param labels distinct names, by number of the class
     * @return this builder
     * @throws IllegalArgumentException if two are equal
     */
    public Builder labels(List<String> labels) {
      if (Set.copyOf(labels).size() != labels.size()) {
        throw new IllegalArgumentException(
            "invalid labels: %s; must be distinct".formatted(labels));
      }
      this.labels = List.copyOf(labels);
      return this;
    }

    /**
     * Reads the LoRA with these settings, as {@link LoraImport#read} does.
     *
     * @return the adapter and what has changed
     * @throws ImportRefusedException if it cannot be imported
     * @throws IOException if a file cannot be read, or breaks a rule of its format
     * @throws InterruptedException if the thread is interrupted
     */
    public ImportedLora read() throws IOException, ImportRefusedException, InterruptedException {
      return build().read();
    }

    /**
     * Returns the import.
     *
     * @return the import
     */
    public LoraImport build() {
      return new LoraImport(this);
    }
  }
}
