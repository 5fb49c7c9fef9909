package dev.nola.trainer.training;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.Metadata;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.Adaptations;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.Parameter;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Mlp;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One run of a job, from its files to the adapter file. Beside the latter lies the run's folder,
 * {@code NAME.run}, with its checkpoint, {@code metrics.jsonl} and {@code loss.svg}.
 *
 * <p>Equal jobs, models and data give equal bytes on one machine with one number of threads,
 * however often a run was ended and resumed. Interrupting the thread ends a run; it can be resumed
 * from its last checkpoint.
 */
public final class TrainingRun {
  private final TrainingJob job;
  private final Path output;
  private final boolean resume;
  private final Listener listener;
  private final @Nullable Duration betweenCheckpoints;

  /** Is told how far a run has come. */
  @FunctionalInterface
  public interface Listener {
    /**
     * A step was taken.
     *
     * @param step its number, from 1
     * @param steps all of them
     * @param loss of its batch
     */
    void at(long step, long steps, double loss);

    /** The validation examples were looked at, after a step. */
    default void evaluated(long step, Evaluation evaluation) {}

    /** A checkpoint was written, after a step; the next one replaces it as a whole. */
    default void checkpointed(long step, Path file) {}

    /**
     * Receives a warning about something that the run can do without.
     *
     * @param message a sentence for the user
     */
    default void warned(String message) {}
  }

  /**
   * What came of a run.
   *
   * @param file the adapter file
   * @param bytes of it
   * @param parameters numbers that were trained
   * @param steps that were taken, those before a resumption included
   * @param evaluation of the file, read back, on the validation examples
   * @param skipped examples that were too long
   * @param reconstructionDigest of the file
   */
  public record Result(
      Path file,
      long bytes,
      long parameters,
      long steps,
      Evaluation evaluation,
      int skipped,
      Sha256 reconstructionDigest) {}

  /**
   * @param resume whether to go on from a checkpoint of this run, if there is one
   */
  public TrainingRun(TrainingJob job, Path output, boolean resume, Listener listener) {
    this(job, output, resume, listener, null);
  }

  private TrainingRun(
      TrainingJob job,
      Path output,
      boolean resume,
      Listener listener,
      @Nullable Duration betweenCheckpoints) {
    this.job = job;
    this.output = output;
    this.resume = resume;
    this.listener = listener;
    this.betweenCheckpoints = betweenCheckpoints;
  }

  /** The same with a checkpoint also when so much time has passed since the last one. */
  public TrainingRun withCheckpointAfter(Duration time) {
    return new TrainingRun(job, output, resume, listener, time);
  }

  /** Where the checkpoint of a run with this output is. */
  public static Path checkpoint(Path output) {
    return output.resolveSibling(output.getFileName() + ".run").resolve("checkpoint.safetensors");
  }

  /**
   * Trains, evaluates and writes.
   *
   * @throws IllegalArgumentException if the job does not fit its model or data
   * @throws IOException if a file cannot be read or written, or there is a run already that should
   *     not be resumed
   */
  public Result run() throws IOException, InterruptedException {
    Path folder = runFolder();
    Path checkpoint = checkpoint(output);
    if (!resume && (Files.exists(output) || Files.exists(checkpoint))) {
      throw new FileAlreadyExistsException(
          Files.exists(output) ? output.toString() : checkpoint.toString(),
          null,
          "a run exists already; resume it, delete it, or choose another output");
    }
    Files.createDirectories(folder);
    Tensors.use(job.run().device().name(), job.run().threads());
    try (BaseModel base = base()) {
      Dataset data = Dataset.read(job.data(), modelFolder());
      requireFit(data);
      List<Adaptation> adaptations = Adaptations.of(base, job.recipe(), data.classes().size());
      AdaptedWeights weights = new AdaptedWeights(base, adaptations, Kernels.chosen());
      train(base, data, weights, folder, checkpoint);
      return finish(base, data, weights, folder);
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
          "%s width of model.mlp is %d, must be %d, the number of %s in the data"
              .formatted(position, actual, expected, unit));
    }
  }

  private Path runFolder() {
    return output.resolveSibling(output.getFileName() + ".run");
  }

  private @Nullable Path modelFolder() {
    return job.model() instanceof TrainingJob.Source.PreTrained model ? model.folder() : null;
  }

  private BaseModel base() throws IOException {
    return switch (job.model()) {
      case TrainingJob.Source.PreTrained model -> BaseModel.load(model.folder());
      case TrainingJob.Source.FromScratch mlp -> BaseModel.fromScratch(new Mlp(mlp.widths()));
    };
  }

  private void train(
      BaseModel base, Dataset data, AdaptedWeights weights, Path folder, Path checkpoint)
      throws IOException, InterruptedException {
    List<Parameter> parameters = weights.parameters();
    TrainingJob.Optimizer settings = job.optimizer();
    AdamW optimizer =
        new AdamW(
            new AdamW.Settings(
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                settings.weightDecay(),
                settings.clip()),
            parameters);
    TrainingJob.Run run = job.run();
    long steps = run.steps(data.train().size());
    String identity = identity(base, data);
    long done =
        Files.exists(checkpoint) ? Checkpoint.read(checkpoint, identity, parameters, optimizer) : 0;
    MetricsLog log = MetricsLog.after(folder.resolve("metrics.jsonl"), done);
    Trainer trainer =
        new Trainer(
            base.network(),
            weights,
            data.train(),
            new BatchOrder(data.train().size(), run.batch(), job.recipe().seed()),
            optimizer,
            job.schedule(steps),
            run.microBatch());
    long checkpointed = System.nanoTime();
    for (long step = done + 1; step <= steps; step++) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the training was interrupted");
      }
      Trainer.Step taken = trainer.step(step);
      if (!Double.isFinite(taken.loss()) || !Double.isFinite(taken.gradientNorm())) {
        throw new IllegalArgumentException(
            "step %d has loss %s and a gradient of norm %s: the learning rate, %s, is too large"
                .formatted(step, taken.loss(), taken.gradientNorm(), settings.learningRate()));
      }
      log.step(step, taken);
      if (isDue(step, run.evaluateEvery(), steps)) {
        Evaluation evaluation =
            Evaluation.of(base.network(), weights, data.validation(), run.microBatch());
        log.evaluation(step, evaluation);
        listener.evaluated(step, evaluation);
      }
      listener.at(step, steps, taken.loss());
      if (isDue(step, run.checkpointEvery(), steps) || step < steps && isLongAgo(checkpointed)) {
        Checkpoint.write(checkpoint, identity, step, parameters, optimizer);
        checkpointed = System.nanoTime();
        listener.checkpointed(step, checkpoint);
      }
    }
    plot(folder.resolve("loss.svg"), log, steps);
  }

  /** Draws the losses, if it can: a machine may lack the fonts that Java needs for any drawing. */
  private void plot(Path file, MetricsLog log, long steps) throws IOException {
    try {
      LossPlot.write(file, log.points("loss"), log.points("validationLoss"), steps);
    } catch (RuntimeException | LinkageError | InternalError e) {
      listener.warned("%s not drawn: %s".formatted(file.getFileName(), e));
    }
  }

  private boolean isLongAgo(long checkpointed) {
    return betweenCheckpoints != null
        && System.nanoTime() - checkpointed >= betweenCheckpoints.toNanos();
  }

  /** Not at the end: what then is, is evaluated as the file has it. */
  private static boolean isDue(long step, long every, long steps) {
    return every > 0 && step % every == 0 && step < steps;
  }

  private String identity(BaseModel base, Dataset data) {
    Sha256 ofBase = base.identity(base.names());
    String text = job.digest() + " " + data.digests() + " " + ofBase;
    return Sha256.hash(text.getBytes(StandardCharsets.UTF_8)).toString();
  }

  private Result finish(BaseModel base, Dataset data, AdaptedWeights weights, Path folder)
      throws IOException, InterruptedException {
    Metadata described = job.metadata().withProvenance(provenance(data));
    AdapterFile draft = toFile(base, weights, described);
    AdapterFile readBack = AdapterFile.read(draft.toBytes());
    AdaptedWeights stored =
        new AdaptedWeights(base, TrainedAdapter.ofFile(base, readBack), Kernels.chosen());
    Evaluation evaluation =
        Evaluation.of(base.network(), stored, data.validation(), job.run().microBatch());
    AdapterFile file = toFile(base, weights, described.withMetrics(metrics(evaluation)));
    file.write(output);
    long steps = job.run().steps(data.train().size());
    MetricsLog.after(folder.resolve("metrics.jsonl"), steps).evaluation(steps, evaluation);
    listener.evaluated(steps, evaluation);
    long parameters =
        weights.parameters().stream().mapToLong(parameter -> parameter.values().length).sum();
    return new Result(
        output,
        Files.size(output),
        parameters,
        steps,
        evaluation,
        data.skipped(),
        file.reconstructionDigest());
  }

  private AdapterFile toFile(BaseModel base, AdaptedWeights weights, Metadata metadata)
      throws IOException {
    String name = job.model() instanceof TrainingJob.Source.PreTrained model ? model.name() : "";
    return TrainedAdapter.toFile(
        base,
        name,
        List.copyOf(weights.adaptations()),
        job.recipe(),
        job.storage().bits(),
        job.storage().denseType(),
        metadata);
  }

  private Map<String, Double> metrics(Evaluation evaluation) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("validation loss", evaluation.loss());
    switch (job.task()) {
      case CAUSAL_LM -> metrics.put("validation perplexity", evaluation.perplexity());
      case CLASSIFICATION -> metrics.put("validation accuracy", evaluation.accuracy());
    }
    return metrics;
  }

  /**
   * What the adapter was made from; no clock, host or path, so that equal runs give equal bytes.
   */
  private Map<String, String> provenance(Dataset data) {
    Map<String, String> provenance = new TreeMap<>();
    provenance.put("job", job.digest().toString());
    data.digests().forEach((file, digest) -> provenance.put("data " + file, digest.toString()));
    provenance.put("trainer", Tensors.version());
    provenance.put("device", Tensors.deviceName());
    return provenance;
  }
}
