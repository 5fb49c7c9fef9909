package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import dev.nola.client.peft.TaskType;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.text.Label;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.job.TrainingJob.AdamWConstants;
import dev.nola.trainer.job.TrainingJob.Compute;
import dev.nola.trainer.job.TrainingJob.Length;
import dev.nola.trainer.job.TrainingJob.Optimizer;
import dev.nola.trainer.job.TrainingJob.Run;
import dev.nola.trainer.job.TrainingJob.Source;
import dev.nola.trainer.job.TrainingJob.Task;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.Storage;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.ResNet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * Job files: YAML, with the keys that README.md lists. A file may come from a stranger: it must be
 * small, without Java types and aliases, and without duplicate keys or keys that do not apply.
 */
public final class JobFile {
  /** Largest job file, in bytes. */
  public static final int MAX_BYTES = 1 << 16;

  private static final int MAX_DEPTH = 8;

  private JobFile() {}

  /**
   * Reads a job. Paths in it are relative to its folder; whether they exist is not checked.
   *
   * @param file the job file
   * @return the job, with absolute paths
   * @throws JobFileException if the file breaks a rule; the message names all of them
   * @throws IOException if it cannot be read
   */
  public static TrainingJob read(Path file) throws IOException {
    Object yaml;
    try {
      yaml = new Yaml(new SafeConstructor(limits())).load(text(file));
    } catch (MarkedYAMLException e) {
      String line =
          e.getProblemMark() == null ? "" : "line " + (e.getProblemMark().getLine() + 1) + ": ";
      throw new JobFileException(file, List.of(line + "invalid YAML: " + e.getProblem()));
    } catch (YAMLException e) {
      throw new JobFileException(file, List.of("invalid YAML: " + e.getMessage()));
    }
    return job(file, Settings.of(yaml));
  }

  private static LoaderOptions limits() {
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(MAX_BYTES);
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(0);
    options.setAllowDuplicateKeys(false);
    return options;
  }

  private static String text(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new FileSystemException(file.toString(), null, "is a folder; must be a job file");
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    }
    if (bytes.length > MAX_BYTES) {
      throw new JobFileException(
          file,
          List.of(String.format(Locale.ROOT, "has more than %,d bytes, the limit", MAX_BYTES)));
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      throw new JobFileException(file, List.of("not valid UTF-8"));
    }
  }

  private static TrainingJob job(Path file, Settings settings) throws JobFileException {
    Defaults.fill(settings);
    requireFit(settings);
    Metadata metadata = metadata(settings);
    if (metadata == null || !settings.problems().isEmpty()) {
      throw new JobFileException(file, settings.problems());
    }
    Path folder = file.toAbsolutePath().normalize().getParent();
    int batch = settings.get(RunKeys.BATCH);
    Integer microBatch = settings.find(RunKeys.MICRO_BATCH);
    Integer steps = settings.find(RunKeys.STEPS);
    return new TrainingJob(
        source(folder, settings),
        new TrainingJob.Objective(
            settings.get(ModelKeys.TASK),
            settings.find(ModelKeys.POOLING),
            Objects.requireNonNullElse(settings.find(DataKeys.LABELS), List.of()),
            settings.get(RunKeys.LABEL_SMOOTHING)),
        new DataFiles(
            layout(folder, settings),
            folder.resolve(settings.get(DataKeys.TRAIN)),
            validation(folder, settings),
            new DataFiles.Tokens(settings.find(DataKeys.MAX_TOKENS), settings.get(DataKeys.BOS)),
            new DataFiles.Selection(
                orAll(settings.find(DataKeys.TRAIN_EXAMPLES)),
                orAll(settings.find(DataKeys.VALIDATION_EXAMPLES)),
                Objects.requireNonNullElse(settings.find(DataKeys.SHOTS), 0),
                settings.get(DataKeys.SEED))),
        recipe(settings),
        new Storage(settings.get(MethodKeys.BITS), settings.get(MethodKeys.DENSE_TYPE)),
        new Optimizer(
            settings.get(RunKeys.LEARNING_RATE),
            settings.get(RunKeys.SCHEDULE),
            settings.get(RunKeys.WARMUP),
            new AdamWConstants(
                settings.get(RunKeys.BETA1),
                settings.get(RunKeys.BETA2),
                settings.get(RunKeys.EPSILON),
                settings.get(RunKeys.WEIGHT_DECAY),
                settings.get(RunKeys.CLIP))),
        new Run(
            batch,
            microBatch == null ? batch : microBatch,
            steps == null
                ? new Length.Epochs(settings.get(RunKeys.EPOCHS))
                : new Length.Steps(steps),
            new TrainingJob.Intervals(
                settings.get(RunKeys.EVALUATE_EVERY), settings.get(RunKeys.CHECKPOINT_EVERY)),
            new Compute(
                settings.get(RunKeys.THREADS),
                settings.get(RunKeys.DEVICE),
                gradientCheckpointing(settings)),
            settings.get(RunKeys.REPEAT)),
        metadata);
  }

  /** Checks keys against each other. */
  private static void requireFit(Settings settings) {
    Task task = settings.find(ModelKeys.TASK);
    Format format = settings.find(DataKeys.FORMAT);
    if (task != null && format != null) {
      settings.require(
          formats(task).contains(format),
          "invalid data.format: %s; must be %s for task %s"
              .formatted(
                  Label.of(format),
                  Kind.alternatives(formats(task).stream().map(Label::of).toList()),
                  task.label()));
    }
    settings.require(
        format == null || format == Format.IDX || settings.find(ModelKeys.MLP) == null,
        "model.mlp is trained on features; data.format must be idx");
    settings.require(
        format == null || isOfImages(format) || settings.find(ModelKeys.NETWORK) == null,
        "model.network is trained on images; data.format must be idx or images");
    settings.require(
        settings.find(MethodKeys.METHOD) != Method.HEAD || settings.find(ModelKeys.NETWORK) == null,
        "method.name=head does not apply to model.network, of which all is trained");
    ImageKeys.requireFit(settings);
    settings.require(
        settings.find(MethodKeys.METHOD) != Method.HEAD || task != Task.CAUSAL_LM,
        "method.name=head does not apply to task causal-lm, which adds no head");
    Pattern targets = settings.find(MethodKeys.TARGETS);
    settings.require(
        settings.find(MethodKeys.METHOD) != Method.FULL
            || targets == null
            || !targets.pattern().equals(TargetSets.ALL_LINEAR),
        "method.targets=all-linear does not apply when method.name is full; omit it to train every"
            + " tensor, or give a pattern");
    Scaling scaling = settings.find(MethodKeys.SCALING);
    settings.require(
        scaling == null || !scaling.isPaper() || settings.find(MethodKeys.METHOD) == Method.NOLA,
        "method.scaling with paper applies only when method.name is nola");
    if (settings.find(ModelKeys.BASE_TYPE) == BaseType.INT8) {
      settings.require(
          settings.find(MethodKeys.METHOD) != Method.FULL,
          "model.baseType=int8 does not apply to method.name full, which trains the base itself");
      settings.require(
          !Boolean.FALSE.equals(settings.find(RunKeys.GRADIENT_CHECKPOINTING)),
          "run.gradientCheckpointing=false does not apply to model.baseType int8, whose f32 copies"
              + " would all be in memory at once");
    }
    Integer batch = settings.find(RunKeys.BATCH);
    Integer microBatch = settings.find(RunKeys.MICRO_BATCH);
    settings.require(
        batch == null || microBatch == null || microBatch <= batch,
        "invalid run.microBatch: %s; must be at most run.batch, %s".formatted(microBatch, batch));
    Integer steps = settings.find(RunKeys.STEPS);
    Schedule.Warmup warmup = settings.find(RunKeys.WARMUP);
    settings.require(
        steps == null || warmup == null || warmup.steps() <= steps,
        "invalid optimizer.warmup: %s; must be at most run.steps, %s"
            .formatted(warmup == null ? null : warmup.steps(), steps));
    FactorLimits.require(settings);
  }

  /** Returns the adapter's metadata, or null if the adapter format does not allow it. */
  private static @Nullable Metadata metadata(Settings settings) {
    Task task = settings.find(ModelKeys.TASK);
    String description = settings.find(RunKeys.DESCRIPTION);
    String license = settings.find(RunKeys.LICENSE);
    List<String> tags = settings.find(RunKeys.TAGS);
    if (task == null || description == null || license == null || tags == null) {
      return null; // already reported as a problem
    }
    try {
      return Metadata.of(description, taskType(task, settings).task(), license)
          .withTags(tags.toArray(String[]::new));
    } catch (IllegalArgumentException e) {
      settings.require(false, "metadata: " + e.getMessage());
      return null;
    }
  }

  private static TaskType taskType(Task task, Settings settings) {
    return switch (task) {
      case CAUSAL_LM -> TaskType.CAUSAL_LM;
      case CLASSIFICATION ->
          isOfImages(settings.find(DataKeys.FORMAT))
              ? TaskType.IMAGE_CLASSIFICATION
              : TaskType.SEQ_CLS;
    };
  }

  private static boolean isOfImages(@Nullable Format format) {
    return format == Format.IDX || format == Format.IMAGES;
  }

  private static Source source(Path folder, Settings settings) {
    Path base = settings.find(ModelKeys.BASE);
    if (base != null) {
      return new Source.PreTrained(
          folder.resolve(base),
          settings.get(ModelKeys.BASE_NAME),
          settings.get(ModelKeys.BASE_TYPE));
    }
    ResNet.Kind network = settings.find(ModelKeys.NETWORK);
    return network != null
        ? new Source.Residual(network)
        : new Source.FromScratch(settings.get(ModelKeys.MLP));
  }

  private static boolean gradientCheckpointing(Settings settings) {
    Boolean chosen = settings.find(RunKeys.GRADIENT_CHECKPOINTING);
    return chosen == null ? settings.find(ModelKeys.BASE_TYPE) == BaseType.INT8 : chosen;
  }

  private static List<Format> formats(Task task) {
    return switch (task) {
      case CAUSAL_LM -> List.of(Format.E2E, Format.JSONL, Format.CSV, Format.TEXT, Format.CHAT);
      case CLASSIFICATION ->
          List.of(Format.JSONL, Format.TSV, Format.CSV, Format.IDX, Format.IMAGES);
    };
  }

  private static DataFiles.Validation validation(Path folder, Settings settings) {
    Path file = settings.find(DataKeys.VALIDATION);
    return file == null
        ? new DataFiles.Validation.Share(settings.get(DataKeys.VALIDATION_SHARE))
        : new DataFiles.Validation.File(folder.resolve(file));
  }

  private static Layout layout(Path folder, Settings settings) {
    return switch (settings.get(DataKeys.FORMAT)) {
      case E2E -> new Layout.E2e();
      case JSONL ->
          settings.get(ModelKeys.TASK) == Task.CAUSAL_LM
              ? new Layout.PromptJsonl(
                  settings.get(DataKeys.PROMPT), settings.get(DataKeys.COMPLETION))
              : new Layout.LabelledJsonl(settings.get(DataKeys.TEXT), settings.get(DataKeys.LABEL));
      case TSV -> new Layout.LabelledTsv(settings.get(DataKeys.TEXT), settings.get(DataKeys.LABEL));
      case CSV ->
          settings.get(ModelKeys.TASK) == Task.CAUSAL_LM
              ? new Layout.PromptCsv(
                  settings.get(DataKeys.PROMPT), settings.get(DataKeys.COMPLETION))
              : new Layout.LabelledCsv(settings.get(DataKeys.TEXT), settings.get(DataKeys.LABEL));
      case TEXT -> new Layout.PlainText();
      case CHAT -> new Layout.Chat(settings.get(DataKeys.MESSAGES));
      case IDX ->
          new Layout.Idx(
              folder.resolve(settings.get(DataKeys.TRAIN_LABELS)),
              folder.resolve(settings.get(DataKeys.VALIDATION_LABELS)),
              ImageKeys.read(settings));
      case IMAGES ->
          new Layout.ImageFolder(
              Objects.requireNonNullElse(ImageKeys.read(settings), ImageSettings.NONE));
    };
  }

  private static Recipe recipe(Settings settings) {
    Method method = settings.get(MethodKeys.METHOD);
    return new Recipe(
        method,
        targets(settings),
        new Recipe.Size(
            settings.get(MethodKeys.VIEW),
            settings.get(MethodKeys.RANK),
            settings.get(MethodKeys.K),
            settings.get(MethodKeys.L)),
        new Recipe.Bases(
            method == Method.LORA ? Generator.IDENTITY : settings.get(MethodKeys.GENERATOR),
            settings.get(ModelKeys.SEED),
            settings.get(MethodKeys.SHARED_BASIS),
            settings.get(MethodKeys.STORED_BASIS)),
        settings.get(MethodKeys.SCALING),
        new Recipe.Training(
            rounding(settings),
            settings.get(MethodKeys.DROPOUT),
            settings.get(MethodKeys.INITIAL_SEED)));
  }

  /** Returns the pattern of targets; without a base, all of the model is trained. */
  private static Pattern targets(Settings settings) {
    return settings.find(ModelKeys.BASE) == null
        ? Keys.ALL_LINEAR
        : settings.get(MethodKeys.TARGETS);
  }

  private static Recipe.Rounding rounding(Settings settings) {
    double from = settings.get(MethodKeys.QUANTIZATION_AWARE);
    return from == Kind.NEVER
        ? Recipe.Rounding.NONE
        : new Recipe.Rounding(settings.get(MethodKeys.BITS), from);
  }

  private static int orAll(@Nullable Integer examples) {
    return examples == null ? Integer.MAX_VALUE : examples;
  }
}
