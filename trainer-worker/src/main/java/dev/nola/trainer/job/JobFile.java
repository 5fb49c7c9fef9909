package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import dev.nola.client.peft.TaskType;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.text.Label;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.job.TrainingJob.AdamWConstants;
import dev.nola.trainer.job.TrainingJob.Compute;
import dev.nola.trainer.job.TrainingJob.Length;
import dev.nola.trainer.job.TrainingJob.Optimizer;
import dev.nola.trainer.job.TrainingJob.Run;
import dev.nola.trainer.job.TrainingJob.Source;
import dev.nola.trainer.job.TrainingJob.Task;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
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
    requireFit(settings);
    Metadata metadata = metadata(settings);
    if (metadata == null || !settings.problems().isEmpty()) {
      throw new JobFileException(file, settings.problems());
    }
    Path folder = file.toAbsolutePath().normalize().getParent();
    int batch = settings.get(Keys.BATCH);
    Integer microBatch = settings.find(Keys.MICRO_BATCH);
    Integer steps = settings.find(Keys.STEPS);
    return new TrainingJob(
        source(folder, settings),
        new TrainingJob.Objective(
            settings.get(Keys.TASK),
            settings.find(Keys.POOLING),
            Objects.requireNonNullElse(settings.find(Keys.LABELS), List.of())),
        new DataFiles(
            layout(folder, settings),
            folder.resolve(settings.get(Keys.TRAIN)),
            validation(folder, settings),
            settings.find(Keys.MAX_TOKENS),
            orAll(settings.find(Keys.TRAIN_EXAMPLES)),
            orAll(settings.find(Keys.VALIDATION_EXAMPLES))),
        recipe(settings),
        new Storage(bits(settings), settings.get(Keys.DENSE_TYPE)),
        new Optimizer(
            settings.get(Keys.LEARNING_RATE),
            settings.get(Keys.SCHEDULE),
            settings.get(Keys.WARMUP),
            new AdamWConstants(
                settings.get(Keys.BETA1),
                settings.get(Keys.BETA2),
                settings.get(Keys.EPSILON),
                settings.get(Keys.WEIGHT_DECAY),
                settings.get(Keys.CLIP))),
        new Run(
            batch,
            microBatch == null ? batch : microBatch,
            steps == null ? new Length.Epochs(settings.get(Keys.EPOCHS)) : new Length.Steps(steps),
            settings.get(Keys.EVALUATE_EVERY),
            settings.get(Keys.CHECKPOINT_EVERY),
            new Compute(settings.get(Keys.THREADS), settings.get(Keys.DEVICE))),
        metadata);
  }

  /** Checks keys against each other. */
  private static void requireFit(Settings settings) {
    Task task = settings.find(Keys.TASK);
    Format format = settings.find(Keys.FORMAT);
    if (task != null && format != null) {
      settings.require(
          formats(task).contains(format),
          "invalid data.format: %s; must be %s for task %s"
              .formatted(
                  Label.of(format),
                  Kind.alternatives(formats(task).stream().map(Label::of).toList()),
                  task.label()));
    }
    if (format != null) {
      settings.require(
          format == Format.IDX || settings.find(Keys.MLP) == null,
          "model.mlp is trained on features; data.format must be idx");
      settings.require(
          format != Format.IDX || settings.find(Keys.BASE) == null,
          "model.base is trained on texts; data.format must not be idx");
    }
    settings.require(
        settings.find(Keys.METHOD) != Method.HEAD || task != Task.CAUSAL_LM,
        "method.name=head does not apply to task causal-lm, which adds no head");
    Integer batch = settings.find(Keys.BATCH);
    Integer microBatch = settings.find(Keys.MICRO_BATCH);
    settings.require(
        batch == null || microBatch == null || microBatch <= batch,
        "invalid run.microBatch: %s; must be at most run.batch, %s".formatted(microBatch, batch));
    Integer steps = settings.find(Keys.STEPS);
    Integer warmup = settings.find(Keys.WARMUP);
    settings.require(
        steps == null || warmup == null || warmup <= steps,
        "invalid optimizer.warmup: %s; must be at most run.steps, %s".formatted(warmup, steps));
    requireFactors(settings);
  }

  /**
   * Requires that factors are within the format's limits (SPEC.md, sections 6, 7.1 and 10): each
   * factor of a model trained from scratch; of another model, whose tensors are not known yet, the
   * largest possible one.
   */
  private static void requireFactors(Settings settings) {
    Method method = settings.find(Keys.METHOD);
    Generator generator =
        method == Method.LORA ? Generator.IDENTITY : settings.find(Keys.GENERATOR);
    List<Integer> widths = settings.find(Keys.MLP);
    if (method == null || generator == null || method == Method.FULL || method == Method.HEAD) {
      return;
    }
    Integer rank = method == Method.PRANC ? null : settings.find(Keys.RANK);
    Integer k = method == Method.LORA ? null : settings.find(Keys.K);
    Integer l = method == Method.NOLA ? settings.find(Keys.L) : null;
    long longest = generator.maxLength();
    if (widths == null) {
      requireAtMost(settings, Keys.RANK, rank, longest, "the elements of a factor");
      requireAtMost(settings, Keys.K, k, Keys.maxCoefficients(generator), generator.label());
      requireAtMost(settings, Keys.L, l, Keys.maxCoefficients(generator), generator.label());
      return;
    }
    for (int i = 0; i < widths.size() - 1; i++) {
      long inputs = widths.get(i);
      long outputs = widths.get(i + 1);
      String layer = "the layer %d to %d of model.mlp".formatted(inputs, outputs);
      if (rank != null) {
        requireAtMost(settings, Keys.RANK, rank, longest / Math.max(inputs, outputs), layer);
      }
      requireCoefficients(
          settings, Keys.K, k, generator, rank == null ? inputs * outputs : rank * outputs, layer);
      requireCoefficients(settings, Keys.L, l, generator, rank == null ? 0 : rank * inputs, layer);
    }
  }

  private static void requireCoefficients(
      Settings settings,
      Key<Integer> key,
      @Nullable Integer count,
      Generator generator,
      long length,
      String layer) {
    if (count != null && length <= generator.maxLength()) {
      requireAtMost(
          settings,
          key,
          count,
          generator.maxCoefficients((int) length, Generator.MAX_BITS),
          "%s and a factor of %d elements, of %s".formatted(generator.label(), length, layer));
    }
  }

  private static void requireAtMost(
      Settings settings, Key<Integer> key, @Nullable Integer value, long limit, String subject) {
    settings.require(
        value == null || value <= limit,
        "invalid %s: %s; must be at most %d for %s".formatted(key.path(), value, limit, subject));
  }

  /** Returns the adapter's metadata, or null if the adapter format does not allow it. */
  private static @Nullable Metadata metadata(Settings settings) {
    Task task = settings.find(Keys.TASK);
    String description = settings.find(Keys.DESCRIPTION);
    String license = settings.find(Keys.LICENSE);
    List<String> tags = settings.find(Keys.TAGS);
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
          settings.find(Keys.FORMAT) == Format.IDX
              ? TaskType.IMAGE_CLASSIFICATION
              : TaskType.SEQ_CLS;
    };
  }

  private static Source source(Path folder, Settings settings) {
    Path base = settings.find(Keys.BASE);
    return base == null
        ? new Source.FromScratch(settings.get(Keys.MLP))
        : new Source.PreTrained(folder.resolve(base), settings.get(Keys.BASE_NAME));
  }

  private static List<Format> formats(Task task) {
    return switch (task) {
      case CAUSAL_LM -> List.of(Format.E2E, Format.JSONL, Format.CSV, Format.TEXT, Format.CHAT);
      case CLASSIFICATION -> List.of(Format.JSONL, Format.TSV, Format.CSV, Format.IDX);
    };
  }

  private static DataFiles.Validation validation(Path folder, Settings settings) {
    Path file = settings.find(Keys.VALIDATION);
    return file == null
        ? new DataFiles.Validation.Share(settings.get(Keys.VALIDATION_SHARE))
        : new DataFiles.Validation.File(folder.resolve(file));
  }

  private static Layout layout(Path folder, Settings settings) {
    return switch (settings.get(Keys.FORMAT)) {
      case E2E -> new Layout.E2e();
      case JSONL ->
          settings.get(Keys.TASK) == Task.CAUSAL_LM
              ? new Layout.PromptJsonl(settings.get(Keys.PROMPT), settings.get(Keys.COMPLETION))
              : new Layout.LabelledJsonl(settings.get(Keys.TEXT), settings.get(Keys.LABEL));
      case TSV -> new Layout.LabelledTsv(settings.get(Keys.TEXT), settings.get(Keys.LABEL));
      case CSV ->
          settings.get(Keys.TASK) == Task.CAUSAL_LM
              ? new Layout.PromptCsv(settings.get(Keys.PROMPT), settings.get(Keys.COMPLETION))
              : new Layout.LabelledCsv(settings.get(Keys.TEXT), settings.get(Keys.LABEL));
      case TEXT -> new Layout.PlainText();
      case CHAT -> new Layout.Chat(settings.get(Keys.MESSAGES));
      case IDX ->
          new Layout.Idx(
              folder.resolve(settings.get(Keys.TRAIN_LABELS)),
              folder.resolve(settings.get(Keys.VALIDATION_LABELS)));
    };
  }

  private static Recipe recipe(Settings settings) {
    Method method = settings.get(Keys.METHOD);
    int rank = settings.get(Keys.RANK);
    Double scaling = settings.find(Keys.SCALING);
    // Without a base, all of the model is trained.
    Pattern targets =
        settings.find(Keys.BASE) == null ? Keys.ALL_LINEAR : settings.get(Keys.TARGETS);
    double usualScaling = method == Method.LORA ? 2.0 * rank : 1;
    return new Recipe(
        method,
        targets,
        new Recipe.Size(rank, settings.get(Keys.K), settings.get(Keys.L)),
        new Recipe.Bases(
            method == Method.LORA ? Generator.IDENTITY : settings.get(Keys.GENERATOR),
            settings.get(Keys.SEED),
            settings.get(Keys.SHARED_BASIS),
            settings.get(Keys.STORED_BASIS)),
        scaling == null ? usualScaling : scaling,
        settings.get(Keys.QUANTIZATION_AWARE) ? bits(settings) : 0);
  }

  private static int bits(Settings settings) {
    Integer bits = settings.find(Keys.BITS);
    int usualBits = settings.get(Keys.METHOD) == Method.LORA ? 16 : 8;
    return bits == null ? usualBits : bits;
  }

  private static int orAll(@Nullable Integer examples) {
    return examples == null ? Integer.MAX_VALUE : examples;
  }
}
