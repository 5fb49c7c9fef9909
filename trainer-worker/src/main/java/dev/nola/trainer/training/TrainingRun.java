package dev.nola.trainer.training;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.Adaptations;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.ResNet;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of a job, from its files to the adapter file. The run's folder next to the latter, {@code
 * NAME.run}, has its checkpoint, {@code metrics.jsonl}, {@code loss.svg} and a file for
 * TensorBoard.
 *
 * <p>Equal jobs, models and data yield equal bytes on one machine with one number of threads,
 * however often a run was ended and resumed. Interrupting the thread ends a run; it can be resumed
 * from its last checkpoint.
 */
public final class TrainingRun {
  private final TrainingJob job;
  private final Path output;
  private final RunFolder folder;
  private final boolean resume;
  private final Listener listener;
  private final @Nullable Duration checkpointInterval;

  /** Receives progress updates. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Receives a step that was taken.
     *
     * @param step number of the step, from 1
     * @param steps number of steps of the run
     * @param loss loss of the step's batch
     */
    void stepped(long step, long steps, double loss);

    /**
     * Receives where a run begins that may continue an earlier one.
     *
     * @param step number of steps taken before; 0 without a checkpoint
     * @param steps number of steps of the run
     */
    default void resumed(long step, long steps) {}

    /**
     * Receives an evaluation on the validation examples.
     *
     * @param step number of steps taken
     * @param evaluation the result
     */
    default void evaluated(long step, Evaluation evaluation) {}

    /**
     * Receives a checkpoint that was written; the next one replaces it as a whole.
     *
     * @param step number of steps taken
     * @param file the checkpoint
     */
    default void checkpointed(long step, Path file) {}

    /**
     * Receives a warning about something that the run can do without.
     *
     * @param message a sentence for the user
     */
    default void warned(String message) {}
  }

  /**
   * The result of a run.
   *
   * @param output the adapter file
   * @param parameters number of values that were trained
   * @param steps number of steps taken, including those before a resumption
   * @param evaluations evaluations on the validation examples
   * @param skipped number of examples that were too long
   */
  public record Result(
      Output output, long parameters, long steps, Evaluations evaluations, int skipped) {
    /**
     * Returns the evaluation of the file, read back.
     *
     * @return loss and accuracy on the validation examples
     */
    public Evaluation evaluation() {
      return evaluations.trained();
    }
  }

  /**
   * Evaluations on the validation examples.
   *
   * @param trained of the file, read back
   * @param base of the base model alone; null if it cannot do the task without the adapter
   */
  public record Evaluations(Evaluation trained, @Nullable Evaluation base) {}

  /**
   * The adapter file that a run has written.
   *
   * @param file path of the file
   * @param bytes size of the file, in bytes
   * @param reconstructionDigest digest of its reconstruction
   */
  public record Output(Path file, long bytes, Sha256 reconstructionDigest) {}

  /**
   * Creates a run.
   *
   * @param job what to train
   * @param output adapter file to write
   * @param resume whether to continue from a checkpoint of this run, if there is one
   * @param listener receives progress updates
   */
  public TrainingRun(TrainingJob job, Path output, boolean resume, Listener listener) {
    this(job, output, resume, listener, null);
  }

  private TrainingRun(
      TrainingJob job,
      Path output,
      boolean resume,
      Listener listener,
      @Nullable Duration checkpointInterval) {
    this.job = job;
    this.output = output;
    this.folder = new RunFolder(output);
    this.resume = resume;
    this.listener = listener;
    this.checkpointInterval = checkpointInterval;
  }

  /**
   * Returns the same run with a checkpoint also after a time without one.
   *
   * @param time longest time between checkpoints
   * @return another run
   */
  public TrainingRun withCheckpointAfter(Duration time) {
    return new TrainingRun(job, output, resume, listener, time);
  }

  /**
   * Returns the path of a run's checkpoint.
   *
   * @param output adapter file of the run
   * @return path in the run's folder
   */
  public static Path checkpoint(Path output) {
    return new RunFolder(output).checkpoint();
  }

  /**
   * Trains, evaluates and writes the adapter file.
   *
   * @return what was trained and written
   * @throws IllegalArgumentException if the job does not fit its model or data, or the learning
   *     rate is too large
   * @throws IOException if a file cannot be read or written, or a run exists already that is not to
   *     be resumed
   * @throws InterruptedException if the thread is interrupted; the run can be resumed
   */
  public Result run() throws IOException, InterruptedException {
    if (job.run().repeat().runs() > 1) {
      throw new IllegalArgumentException(
          "run.repeat makes %d runs, each with an adapter; only nola train can repeat a job"
              .formatted(job.run().repeat().runs()));
    }
    if (!resume) {
      folder.requireNoRun();
    }
    Tensors.use(job.run().compute().device().name(), job.run().compute().threads());
    try (BaseModel base = base()) {
      job.requireReadableBy(base.network());
      Dataset data = DatasetReader.read(job.data(), modelFolder(), job.objective().labels());
      data.warnings().forEach(listener::warned);
      requireFit(data);
      RunIdentity started = RunIdentity.of(job, data, base);
      RunMetadata.of(job, base, data, started); // fails before hours of training, not after
      List<Adaptation> adaptations = Adaptations.of(base, job.recipe(), data.classes().size());
      try (AdaptedWeights weights = new AdaptedWeights(base, adaptations, Kernels.chosen())) {
        weights.useGpu(listener::warned);
        folder.create(); // not before the job is known to fit its model and data
        TrainingEnd end = train(base, data, weights, started);
        return finish(base, data, weights, end);
      }
    }
  }

  /** Requires that a network trained from scratch has the widths of the data. */
  private void requireFit(Dataset data) {
    if (job.model() instanceof TrainingJob.Source.FromScratch mlp
        && data.train().getFirst() instanceof Example.Features features) {
      require("first", mlp.widths().getFirst(), features.values().length, "features");
      require("last", mlp.widths().getLast(), data.classes().size(), "classes");
    }
  }

  private static void require(String position, int actual, int expected, String unit) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          "%s width of model.mlp is %d; must be %d, the number of %s in the data"
              .formatted(position, actual, expected, unit));
    }
  }

  private @Nullable Path modelFolder() {
    return job.model() instanceof TrainingJob.Source.PreTrained model ? model.folder() : null;
  }

  private BaseModel base() throws IOException, InterruptedException {
    try {
      return load();
    } catch (ClosedByInterruptException e) {
      throw new InterruptedException("the training was interrupted");
    }
  }

  private BaseModel load() throws IOException {
    return switch (job.model()) {
      case TrainingJob.Source.PreTrained model ->
          switch (job.objective().task()) {
            case CAUSAL_LM -> BaseModel.load(model.folder(), model.type());
            case CLASSIFICATION ->
                BaseModel.loadClassifier(model.folder(), job.objective().pooling(), model.type());
          };
      case TrainingJob.Source.FromScratch mlp -> BaseModel.fromScratch(new Mlp(mlp.widths()));
      case TrainingJob.Source.Residual network -> BaseModel.fromScratch(new ResNet(network.kind()));
    };
  }

  /**
   * The end of a training.
   *
   * @param identity what the result depends on
   * @param log the run's log
   */
  private record TrainingEnd(RunIdentity identity, MetricsLog log) {}

  private TrainingEnd train(
      BaseModel base, Dataset data, AdaptedWeights weights, RunIdentity started)
      throws IOException, InterruptedException {
    Path checkpoint = folder.checkpoint();
    AdamW optimizer = new AdamW(job.optimizer().adamW(), weights.parameters());
    TrainingJob.Run run = job.run();
    long steps = run.steps(data.train().size());
    Checkpoint.Resumed resumed =
        Files.exists(checkpoint)
            ? Checkpoint.read(checkpoint, started, weights, optimizer)
            : new Checkpoint.Resumed(0, started);
    RunIdentity identity = resumed.run();
    if (resume) {
      listener.resumed(resumed.step(), steps);
    }
    MetricsLog log = MetricsLog.openAfter(folder.metrics(), resumed.step(), steps);
    Trainer trainer =
        new Trainer(
            new Backpropagation(
                base.network(),
                weights,
                run.compute().gradientCheckpointing(),
                job.objective().labelSmoothing()),
            new BatchOrder(data.train(), run.batch(), job.data().selection().seed()),
            optimizer,
            job.schedule(steps),
            run.microBatch());
    long checkpointed = System.nanoTime();
    for (long step = resumed.step() + 1; step <= steps; step++) {
      if (Thread.interrupted()) {
        if (step > resumed.step() + 1) {
          Checkpoint.write(checkpoint, identity, step - 1, weights, optimizer);
        }
        throw new InterruptedException("the training was interrupted");
      }
      weights.roundTo(job.recipe().training().rounding().bits(step, steps));
      Trainer.Step taken = trainer.step(step);
      if (!Double.isFinite(taken.loss()) || !Double.isFinite(taken.gradientNorm())) {
        throw new IllegalArgumentException(
            "step %d has loss %s and a gradient of norm %s: the learning rate, %s, is too large"
                .formatted(
                    step, taken.loss(), taken.gradientNorm(), job.optimizer().learningRate()));
      }
      log.step(step, taken);
      if (isDue(step, run.intervals().evaluate(), steps)) {
        Evaluation evaluation =
            Evaluation.of(base.network(), weights, data.validation(), run.microBatch());
        log.evaluation(step, evaluation);
        listener.evaluated(step, evaluation);
      }
      listener.stepped(step, steps, taken.loss());
      if (isDue(step, run.intervals().checkpoint(), steps)
          || step < steps && isLongAgo(checkpointed)) {
        Checkpoint.write(checkpoint, identity, step, weights, optimizer);
        checkpointed = System.nanoTime();
        listener.checkpointed(step, checkpoint);
      }
    }
    if (steps > resumed.step()) {
      Checkpoint.write(checkpoint, identity, steps, weights, optimizer); // to be extended
    }
    folder.plot(log, steps, listener);
    return new TrainingEnd(identity, log);
  }

  private boolean isLongAgo(long checkpointed) {
    return checkpointInterval != null
        && System.nanoTime() - checkpointed >= checkpointInterval.toNanos();
  }

  /** Skips the last step; the final evaluation uses the adapter as read back from its file. */
  private static boolean isDue(long step, long every, long steps) {
    return every > 0 && step % every == 0 && step < steps;
  }

  private Result finish(BaseModel base, Dataset data, AdaptedWeights weights, TrainingEnd end)
      throws IOException, InterruptedException {
    Metadata described = RunMetadata.of(job, base, data, end.identity());
    AdapterFile draft = toFile(base, weights, described);
    AdapterFile readBack = AdapterFile.read(draft.toBytes());
    AdaptedWeights stored =
        new AdaptedWeights(base, TrainedAdapter.ofFile(base, readBack), Kernels.chosen());
    Evaluation evaluation =
        Evaluation.of(base.network(), stored, data.validation(), job.run().microBatch());
    AdapterFile file =
        toFile(base, weights, described.withMetrics(RunMetadata.metrics(job, evaluation)));
    file.write(output);
    long steps = job.run().steps(data.train().size());
    end.log().evaluation(steps, evaluation);
    listener.evaluated(steps, evaluation);
    long parameters =
        weights.parameters().stream().mapToLong(parameter -> parameter.values().length).sum();
    return new Result(
        new Output(output, Files.size(output), file.reconstructionDigest()),
        parameters,
        steps,
        new Evaluations(evaluation, baseline(base, data)),
        data.skipped());
  }

  /** Evaluates the base model alone; null where it cannot do the task, without the head. */
  private @Nullable Evaluation baseline(BaseModel base, Dataset data)
      throws IOException, InterruptedException {
    if (job.objective().task() != TrainingJob.Task.CAUSAL_LM) {
      return null;
    }
    AdaptedWeights unchanged = new AdaptedWeights(base, List.of(), Kernels.chosen());
    return Evaluation.of(base.network(), unchanged, data.validation(), job.run().microBatch());
  }

  private AdapterFile toFile(BaseModel base, AdaptedWeights weights, Metadata metadata)
      throws IOException {
    String name = "";
    if (job.model() instanceof TrainingJob.Source.PreTrained model) {
      name = model.name().isEmpty() ? BaseModel.statedName(model.folder()) : model.name();
    }
    return TrainedAdapter.toFile(
        base, name, List.copyOf(weights.adaptations()), job.recipe(), job.storage(), metadata);
  }
}
