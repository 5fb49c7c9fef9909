package dev.nola.trainer.worker;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.client.peft.ExportRefusedException;
import dev.nola.client.peft.PeftExport;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import dev.nola.trainer.job.JobFile;
import dev.nola.trainer.training.Evaluation;
import dev.nola.trainer.training.TrainingRun;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a process does for a worker, in a folder of its own, where it finds {@code task.json} and
 * the files that it needs. It tells of its progress in events, a JSON object a line.
 *
 * @param what to do
 * @param type of an export's factors
 * @param model whether an export has a base model
 * @param backend of a verification
 * @param nonce of a verification
 * @param worker name of the worker
 * @param memoryBytes that it may use
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Task(
    What what,
    @Nullable DType type,
    boolean model,
    @Nullable String backend,
    @Nullable String nonce,
    String worker,
    long memoryBytes) {

  static final String TASK = "task.json";
  static final String JOB = "job.yaml";
  static final String ADAPTER = "adapter.nola";
  static final String DATA = "data";
  static final String MODEL = "model";
  static final String ARCHIVE = "result.zip";
  static final String RECONSTRUCTION = "reconstruction.json";

  private static final String EXPORTED = "peft";
  private static final Duration BETWEEN_CHECKPOINTS = Duration.ofSeconds(30);

  /** The earliest time that a zip file can have: equal exports give equal bytes. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  /** What to do. */
  enum What {
    TRAIN,
    EXPORT,
    VERIFY
  }

  /**
   * Something that happened.
   *
   * @param unsupported whether this version of nola cannot reconstruct the file
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Event(
      Kind event,
      @Nullable Long step,
      @Nullable Long steps,
      @Nullable Double loss,
      @Nullable Double accuracy,
      @Nullable String reason,
      @Nullable Boolean retryable,
      @Nullable Boolean unsupported) {

    /** What it is. */
    enum Kind {
      STEP,
      EVALUATION,
      CHECKPOINT,
      LOG,
      FAILED
    }

    static Event step(long step, long steps, double loss) {
      return new Event(Kind.STEP, step, steps, loss, null, null, null, null);
    }

    static Event evaluation(long step, Evaluation result) {
      return new Event(
          Kind.EVALUATION, step, null, result.loss(), result.accuracy(), null, null, null);
    }

    static Event checkpoint(long step) {
      return new Event(Kind.CHECKPOINT, step, null, null, null, null, null, null);
    }

    static Event log(String line) {
      return new Event(Kind.LOG, null, null, null, null, line, null, null);
    }

    static Event failed(String reason, boolean retryable, boolean unsupported) {
      return new Event(Kind.FAILED, null, null, null, null, reason, retryable, unsupported);
    }
  }

  void write(Path folder) throws IOException {
    Files.write(folder.resolve(TASK), JsonMapper.shared().writeValueAsBytes(this));
  }

  /**
   * Does the task of a folder.
   *
   * @param events are written here
   * @throws IOException or another exception, for the task's failure
   */
  public static void run(Path folder, PrintWriter events)
      throws IOException, InterruptedException, ExportRefusedException {
    Task task = JsonMapper.shared().readValue(Files.readAllBytes(folder.resolve(TASK)), Task.class);
    switch (task.what) {
      case TRAIN -> train(folder, events);
      case EXPORT -> task.export(folder, events);
      case VERIFY -> task.verify(folder, events);
    }
  }

  /**
   * Tells the worker that a task failed.
   *
   * @param reason for whoever asked for the job
   * @param retryable whether another try may succeed
   */
  public static void failed(PrintWriter events, Path folder, String reason, boolean retryable) {
    // Where the folder is is nobody's business.
    send(events, Event.failed(reason.replace(folder + "/", ""), retryable, false));
  }

  private static void send(PrintWriter events, Event event) {
    events.println(JsonMapper.shared().writeValueAsString(event));
    events.flush();
  }

  private static void train(Path folder, PrintWriter events)
      throws IOException, InterruptedException {
    TrainingRun.Listener listener =
        new TrainingRun.Listener() {
          @Override
          public void at(long step, long steps, double loss) {
            send(events, Event.step(step, steps, loss));
          }

          @Override
          public void evaluated(long step, Evaluation evaluation) {
            send(events, Event.evaluation(step, evaluation));
          }

          @Override
          public void checkpointed(long step, Path file) {
            send(events, Event.checkpoint(step));
          }

          @Override
          public void warned(String message) {
            send(events, Event.log(message));
          }
        };
    TrainingRun.Result result =
        new TrainingRun(JobFile.read(folder.resolve(JOB)), folder.resolve(ADAPTER), true, listener)
            .withCheckpointAfter(BETWEEN_CHECKPOINTS)
            .run();
    send(
        events,
        Event.log(
            String.format(
                Locale.ROOT,
                "trained %,d parameters in %,d steps; validation loss %.4f, accuracy %.4f; the"
                    + " adapter has %,d bytes",
                result.parameters(),
                result.steps(),
                result.evaluation().loss(),
                result.evaluation().accuracy(),
                result.bytes())));
  }

  private void export(Path folder, PrintWriter events)
      throws IOException, InterruptedException, ExportRefusedException {
    PeftExport.Builder export =
        PeftExport.of(AdapterFile.read(folder.resolve(ADAPTER)))
            .dtype(type == null ? DType.F16 : type);
    if (model) {
      export.base(folder.resolve(MODEL));
    }
    Path exported = folder.resolve(EXPORTED);
    PeftExport.Report report = export.build().write(exported);
    report.warnings().forEach(warning -> send(events, Event.log(warning)));
    zip(exported, folder.resolve(ARCHIVE));
    send(
        events,
        Event.log(
            String.format(
                Locale.ROOT,
                "exported %d modules of rank %d, %d kept whole, %,d bytes",
                report.modules(),
                report.rank(),
                report.saved(),
                report.bytes())));
  }

  private static void zip(Path folder, Path archive) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            files.add(file);
            return FileVisitResult.CONTINUE;
          }
        });
    files.sort(null);
    try (OutputStream out = Files.newOutputStream(archive);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Path file : files) {
        ZipEntry entry = new ZipEntry(folder.relativize(file).toString());
        entry.setTimeLocal(NO_TIME);
        zip.putNextEntry(entry);
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
  }

  private void verify(Path folder, PrintWriter events) throws IOException {
    if (backend == null || nonce == null) {
      throw new IllegalArgumentException("a verification has a backend and a nonce");
    }
    // A factor takes 12 bytes an element while it is computed; torch holds it twice in f64.
    long elements = Math.clamp(memoryBytes / 64, 1, Budget.MAX_ARRAY);
    Verification verification =
        new Verification(
            Backends.here(0),
            Machine.here(worker),
            new Budget(elements, Budget.STANDARD.additions()));
    try {
      AdapterFile file = Verification.read(Files.readAllBytes(folder.resolve(ADAPTER)));
      Reconstruction result = verification.of(file, backend, nonce);
      Files.write(folder.resolve(RECONSTRUCTION), JsonMapper.shared().writeValueAsBytes(result));
    } catch (Verification.UnsupportedException e) {
      send(events, Event.failed(String.valueOf(e.getMessage()), false, true));
    } catch (AdapterException e) {
      // Another machine may have more memory; the bytes are the same everywhere.
      boolean retryable = e instanceof LimitExceededException;
      send(events, Event.failed(String.valueOf(e.getMessage()), retryable, false));
    }
  }
}
