package dev.nola.trainer.job;

import dev.nola.client.peft.Pooling;
import dev.nola.digest.Sha256;
import dev.nola.format.Metadata;
import dev.nola.text.Label;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Storage;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.Input;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.ResNet;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A training run with all its settings; values are those that {@link JobFile} accepts. It has eight
 * components: the groups of a job file.
 *
 * @param model model that is trained
 * @param objective what the model learns to do
 * @param data examples to learn from
 * @param recipe method, targets, sizes and bases
 * @param storage how the adapter file stores the result
 * @param optimizer optimizer and its learning rate
 * @param run length, batches and device
 * @param metadata metadata of the adapter file: description, task, licence and tags
 */
public record TrainingJob(
    Source model,
    Objective objective,
    DataFiles data,
    Recipe recipe,
    Storage storage,
    Optimizer optimizer,
    Run run,
    Metadata metadata) {

  /** Distance of seeds of initial values: nearer ones have some parameters' values in common. */
  private static final long SEED_STEP = 1000;

  /** The origin of a model. */
  public sealed interface Source {
    /**
     * A pre-trained model.
     *
     * @param folder folder with {@code config.json}, {@code tokenizer.json} and safetensors
     * @param name name of the base model in the adapter file; empty for none
     * @param type how its matrices are kept
     */
    record PreTrained(Path folder, String name, BaseType type) implements Source {}

    /**
     * Linear layers with ReLU between them, trained from scratch.
     *
     * @param widths widths of the input, of every hidden layer and of the output
     */
    record FromScratch(List<Integer> widths) implements Source {
      /** Copies the list. */
      public FromScratch {
        widths = List.copyOf(widths);
      }
    }

    /**
     * A residual network of convolutions, trained from scratch.
     *
     * @param kind which one
     */
    record Residual(ResNet.Kind kind) implements Source {}
  }

  /**
   * What a model learns to do.
   *
   * @param task kind of the task
   * @param pooling what the classifier of a pre-trained model sees of a text; null for what it sees
   *     in Transformers
   * @param labels names of the classes by number; empty for those of the training data
   * @param labelSmoothing probability that the loss of training spreads over all classes, from 0 to
   *     below 1
   */
  public record Objective(
      Task task, @Nullable Pooling pooling, List<String> labels, double labelSmoothing) {
    /** Copies the list. */
    public Objective {
      labels = List.copyOf(labels);
    }
  }

  /** A kind of task. */
  public enum Task {
    /** Continuing a text. */
    CAUSAL_LM("causal-lm"),
    /** Finding the class of a text or of features. */
    CLASSIFICATION("classification");

    private final String label;

    Task(String label) {
      this.label = label;
    }

    /**
     * Returns the name in job files.
     *
     * @return such as {@code causal-lm}
     */
    public String label() {
      return label;
    }
  }

  /**
   * The optimizer.
   *
   * @param learningRate peak learning rate
   * @param schedule course of the learning rate after the warm-up
   * @param warmup steps in which the learning rate rises from 0
   * @param adamW constants of AdamW
   */
  public record Optimizer(
      double learningRate, Schedule.Shape schedule, Schedule.Warmup warmup, AdamWConstants adamW) {}

  /**
   * Constants of AdamW.
   *
   * @param beta1 β₁, for the mean of the gradient
   * @param beta2 β₂, for the mean of its square
   * @param epsilon ε, added to the square root
   * @param weightDecay weight decay of every parameter, multiplied by the learning rate
   * @param clip maximum norm of the whole gradient, or 0 for no limit
   */
  public record AdamWConstants(
      double beta1, double beta2, double epsilon, double weightDecay, double clip) {}

  /**
   * Length, batches and device of a run.
   *
   * @param batch examples per step
   * @param microBatch examples in memory at a time
   * @param length when the run ends
   * @param intervals how often something is done
   * @param compute what computes
   * @param repeat how often the job is run
   */
  public record Run(
      int batch,
      int microBatch,
      Length length,
      Intervals intervals,
      Compute compute,
      Repeat repeat) {
    /**
     * Returns the number of steps.
     *
     * @param examples number of training examples
     * @return number of steps of the whole run
     */
    public long steps(int examples) {
      return switch (length) {
        case Length.Steps steps -> steps.count();
        case Length.Epochs epochs -> (long) epochs.count() * Math.ceilDiv(examples, batch);
      };
    }
  }

  /**
   * How often something is done.
   *
   * @param evaluate steps between evaluations, or 0 for only one at the end
   * @param checkpoint steps between checkpoints, or 0 for none
   */
  public record Intervals(long evaluate, long checkpoint) {}

  /**
   * How often a job is run, each time with other seeds, as in the paper's tables 6 and 7.
   *
   * @param samples number of draws of the data, at least 1
   * @param starts number of runs with each draw, at least 1, each with other initial values
   */
  public record Repeat(int samples, int starts) {
    /** One run. */
    public static final Repeat ONCE = new Repeat(1, 1);

    /**
     * Returns the number of runs.
     *
     * @return at least 1
     */
    public int runs() {
      return samples * starts;
    }
  }

  /**
   * What computes, and how; all of which affects no more than rounding.
   *
   * @param threads number of CPU threads, or 0 for all available
   * @param device device of the model
   * @param gradientCheckpointing whether blocks are computed again in the backward pass, to save
   *     memory
   */
  public record Compute(int threads, Device device, boolean gradientCheckpointing) {}

  /** When a run ends. */
  public sealed interface Length {
    /**
     * After a number of steps.
     *
     * @param count number of steps
     */
    record Steps(long count) implements Length {}

    /**
     * After a number of passes over all examples.
     *
     * @param count number of passes
     */
    record Epochs(int count) implements Length {}
  }

  /** A device for a model. */
  public enum Device {
    /** The CPU. */
    CPU,
    /** The first GPU; without one the run fails. */
    CUDA,
    /** The first GPU if there is one, else the CPU. */
    AUTO
  }

  /**
   * Returns one of the runs of a job that is repeated, as a job of its own.
   *
   * @param index number of the run, from 0
   * @return the job with the seeds of the run: that of the data grows by 1 after each {@link
   *     Repeat#starts}, that of the initial values by {@value #SEED_STEP} with each run
   */
  public TrainingJob repetition(int index) {
    DataFiles.Selection all = data.selection();
    DataFiles.Selection drawn =
        new DataFiles.Selection(
            all.trainExamples(),
            all.validationExamples(),
            all.shots(),
            all.seed() + index / run.repeat.starts());
    Recipe.Training training = recipe.training();
    return new TrainingJob(
        model,
        objective,
        new DataFiles(data.layout(), data.train(), data.validation(), data.tokens(), drawn),
        new Recipe(
            recipe.method(),
            recipe.targets(),
            recipe.size(),
            recipe.bases(),
            recipe.scaling(),
            new Recipe.Training(
                training.rounding(), training.dropout(), training.seed() + index * SEED_STEP)),
        storage,
        optimizer,
        new Run(run.batch, run.microBatch, run.length, run.intervals, run.compute, Repeat.ONCE),
        metadata);
  }

  /**
   * Returns the learning rate of each step.
   *
   * @param steps number of steps of the run
   * @return the schedule
   * @throws IllegalArgumentException if the warm-up is longer than the run
   */
  public Schedule schedule(long steps) {
    long warmup = optimizer.warmup.of(steps);
    if (warmup > steps) {
      throw new IllegalArgumentException(
          "invalid optimizer.warmup: %d; must be at most the number of steps, %d"
              .formatted(warmup, steps));
    }
    return new Schedule(optimizer.schedule, optimizer.learningRate, warmup, steps);
  }

  /**
   * Requires that the data are what a network reads.
   *
   * @param network the network
   * @throws IllegalArgumentException if it reads, say, texts and the data are images
   */
  public void requireReadableBy(Network network) {
    Input.Kind given =
        data.layout().images() != null
            ? Input.Kind.IMAGES
            : data.layout() instanceof DataFiles.Layout.Idx
                ? Input.Kind.FEATURES
                : Input.Kind.TEXTS;
    if (network.reads() != given) {
      throw new IllegalArgumentException(
          "the model reads %s, but data.format is one of %s"
              .formatted(Label.of(network.reads()), Label.of(given)));
    }
  }

  /**
   * Returns a digest of all settings that a result depends on, for its provenance: SHA-256 of a
   * JSON object in UTF-8, keys in alphabetical order, without white space. It leaves out paths and
   * names, as provenance has the digests of data and base; the adapter's metadata; when to evaluate
   * and to write checkpoints; and threads, device and gradient checkpointing, which only affect
   * rounding.
   *
   * @return the digest
   */
  public Sha256 digest() {
    return Sha256.hash(canonical().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns all settings that a result depends on as JSON, which {@link #digest} is of.
   *
   * @return a JSON object, keys in alphabetical order, without white space
   */
  public String canonical() {
    return CanonicalJob.of(this);
  }

  /**
   * Returns the key in job files of a setting in {@link #canonical}.
   *
   * @param setting such as {@code learningRate}
   * @return such as {@code optimizer.learningRate}
   */
  public static String keyOf(String setting) {
    return KeyNames.pathOf(setting);
  }
}
