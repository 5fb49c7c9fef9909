package dev.nola.trainer.job;

import dev.nola.digest.Sha256;
import dev.nola.format.DType;
import dev.nola.format.Metadata;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.method.Recipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * A training run, all of it decided. Values are those that {@link JobFile} accepts.
 *
 * @param model what is trained
 * @param task what for
 * @param data from what
 * @param recipe how: method, targets, sizes, seed
 * @param storage how the result is written
 * @param optimizer AdamW and its learning rate
 * @param run how long, in what portions, where
 * @param metadata of the adapter file: description, task, licence and tags
 */
public record TrainingJob(
    Source model,
    Task task,
    DataFiles data,
    Recipe recipe,
    Storage storage,
    Optimizer optimizer,
    Run run,
    Metadata metadata) {

  /** Where the model comes from. */
  public sealed interface Source {
    /**
     * A pre-trained model.
     *
     * @param folder with {@code config.json}, {@code tokenizer.json} and safetensors
     * @param name that the adapter file gives as its base model's; empty for none
     */
    record PreTrained(Path folder, String name) implements Source {}

    /**
     * Linear layers with ReLU between them, trained from scratch.
     *
     * @param widths of the input, of every hidden layer and of the output
     */
    record FromScratch(List<Integer> widths) implements Source {
      /** Keeps a copy. */
      public FromScratch {
        widths = List.copyOf(widths);
      }
    }
  }

  /** What a model learns to do. */
  public enum Task {
    /** To go on with a text. */
    CAUSAL_LM("causal-lm"),
    /** To name the class of a text or of features. */
    CLASSIFICATION("classification");

    private final String label;

    Task(String label) {
      this.label = label;
    }

    /** As job files have it, such as {@code causal-lm}. */
    public String label() {
      return label;
    }
  }

  /**
   * How the result is written.
   *
   * @param bits width of the codes of coefficients, 1..16
   * @param denseType type of the tensors that are stored whole
   */
  public record Storage(int bits, DType denseType) {}

  /**
   * AdamW.
   *
   * @param learningRate the largest one
   * @param schedule how it goes on after the warm-up
   * @param warmup steps in which it grows from 0
   * @param beta1 of the gradient's mean
   * @param beta2 of its square's mean
   * @param epsilon added to the root of the latter
   * @param weightDecay of every parameter, times the learning rate
   * @param clip largest norm of the whole gradient, or 0 for any
   */
  public record Optimizer(
      double learningRate,
      Schedule.Shape schedule,
      long warmup,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      double clip) {}

  /**
   * How long, in what portions, where.
   *
   * @param batch examples of a step
   * @param microBatch examples of it that are in memory at a time
   * @param length when it ends
   * @param evaluateEvery steps between evaluations, or 0 for one at the end only
   * @param checkpointEvery steps between checkpoints, or 0 for none
   * @param threads of the processor, or 0 for all that there are
   * @param device where the model is
   */
  public record Run(
      int batch,
      int microBatch,
      Length length,
      long evaluateEvery,
      long checkpointEvery,
      int threads,
      Device device) {
    /**
     * Steps of the run.
     *
     * @param examples to learn from, all of them
     */
    public long steps(int examples) {
      return switch (length) {
        case Length.Steps steps -> steps.count();
        case Length.Epochs epochs -> (long) epochs.count() * Math.ceilDiv(examples, batch);
      };
    }
  }

  /** When a run ends. */
  public sealed interface Length {
    /** After so many batches. */
    record Steps(long count) implements Length {}

    /** When it went so many times through all examples. */
    record Epochs(int count) implements Length {}
  }

  /** Where a model is. */
  public enum Device {
    /** In the machine's memory. */
    CPU,
    /** On the first GPU; without one the run fails. */
    CUDA,
    /** On the first GPU if there is one. */
    AUTO
  }

  /**
   * The learning rate of each step.
   *
   * @param steps all of them
   * @throws IllegalArgumentException if the warm-up is longer
   */
  public Schedule schedule(long steps) {
    if (optimizer.warmup > steps) {
      throw new IllegalArgumentException(
          "optimizer.warmup=%d, must be at most the number of steps, %d"
              .formatted(optimizer.warmup, steps));
    }
    return new Schedule(optimizer.schedule, optimizer.learningRate, optimizer.warmup, steps);
  }

  /**
   * SHA-256 of all settings that a result depends on, for its provenance: of a JSON object in
   * UTF-8, keys in alphabetical order, without white space. Not in it are paths and names, in whose
   * place the digests of data and base stand, the adapter's metadata, when to evaluate and to write
   * checkpoints, and threads and device, which change no more than rounding.
   */
  public Sha256 digest() {
    return Sha256.hash(canonical().getBytes(StandardCharsets.UTF_8));
  }

  String canonical() {
    TreeMap<String, Object> settings = new TreeMap<>();
    if (model instanceof Source.FromScratch mlp) {
      settings.put("widths", mlp.widths());
    }
    settings.put("task", task.label());
    settings.put("maxTokens", data.maxTokens());
    settings.put("trainExamples", data.trainExamples());
    settings.put("validationExamples", data.validationExamples());
    switch (data.layout()) {
      case DataFiles.Layout.E2e _ -> settings.put("layout", List.of("e2e"));
      case DataFiles.Layout.PromptJsonl jsonl ->
          settings.put("layout", List.of("jsonl", jsonl.prompt(), jsonl.completion()));
      case DataFiles.Layout.LabelledJsonl jsonl ->
          settings.put("layout", List.of("jsonl", jsonl.text(), jsonl.label()));
      case DataFiles.Layout.LabelledTsv tsv ->
          settings.put("layout", List.of("tsv", tsv.text(), tsv.label()));
      case DataFiles.Layout.Idx _ -> settings.put("layout", List.of("idx"));
    }
    settings.put("method", lower(recipe.method()));
    settings.put("targets", recipe.targets().pattern());
    settings.put("rank", recipe.rank());
    settings.put("k", recipe.k());
    settings.put("l", recipe.l());
    settings.put("generator", recipe.generator().label());
    settings.put("sharedBasis", recipe.sharedBasis());
    settings.put("storedBasis", recipe.storedBasis());
    settings.put("seed", Long.toUnsignedString(recipe.seed()));
    settings.put("scaling", recipe.scaling());
    settings.put("quantizationAwareBits", recipe.quantizationAwareBits());
    settings.put("bits", storage.bits);
    settings.put("denseType", lower(storage.denseType));
    settings.put("learningRate", optimizer.learningRate);
    settings.put("schedule", lower(optimizer.schedule));
    settings.put("warmup", optimizer.warmup);
    settings.put("beta1", optimizer.beta1);
    settings.put("beta2", optimizer.beta2);
    settings.put("epsilon", optimizer.epsilon);
    settings.put("weightDecay", optimizer.weightDecay);
    settings.put("clip", optimizer.clip);
    settings.put("batch", run.batch);
    settings.put("microBatch", run.microBatch);
    switch (run.length) {
      case Length.Steps steps -> settings.put("steps", steps.count());
      case Length.Epochs epochs -> settings.put("epochs", epochs.count());
    }
    return JsonMapper.shared().writeValueAsString(settings);
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
