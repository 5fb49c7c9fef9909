package dev.nola.trainer.worker;

import dev.nola.api.attestation.Reconstruction;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.LimitExceededException;
import dev.nola.gpu.CudaException;
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
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/** Does the task of a folder in a separate process, and reports its progress to the worker. */
public final class TaskRunner {
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(30);
  private static final ObjectWriter EVENT = JsonMapper.shared().writerFor(TaskEvent.class);

  /** Earliest time that a zip file can have, so that equal exports have equal bytes. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  /** Torch holds a factor's sums twice in f64, where Java's kernels hold them once. */
  private static final int TORCH_COPIES = 5;

  /** What the registry leaves to workers may take an hour of a core. */
  private static final long MAX_ADDITIONS = 1L << 42;

  private final TaskFolder folder;
  private final PrintWriter events;

  /**
   * Creates a runner.
   *
   * @param folder folder of the task
   * @param events writer that the worker reads
   */
  public TaskRunner(Path folder, PrintWriter events) {
    this.folder = new TaskFolder(folder);
    this.events = events;
  }

  /**
   * Does the task.
   *
   * @throws IOException if a file cannot be read or written, or the task fails otherwise
   * @throws IllegalArgumentException if the task's files break a rule
   * @throws ExportRefusedException if the adapter cannot be exported
   * @throws InterruptedException if the thread is interrupted
   */
  public void run() throws IOException, InterruptedException, ExportRefusedException {
    switch (folder.read()) {
      case Task.Train _ -> train();
      case Task.Export export -> export(export);
      case Task.Verify verify -> verify(verify);
    }
  }

  /**
   * Tells the worker that the task failed.
   *
   * @param reason a sentence for whoever asked for the job
   * @param retryable whether another try may succeed
   */
  public void fail(String reason, boolean retryable) {
    // Does not leak local paths.
    send(new TaskEvent.Failed(reason.replace(folder.path() + "/", ""), retryable, false));
  }

  private void send(TaskEvent event) {
    events.println(EVENT.writeValueAsString(event));
    events.flush();
  }

  private void log(String format, Object... values) {
    send(new TaskEvent.Log(String.format(Locale.ROOT, format, values)));
  }

  private void train() throws IOException, InterruptedException {
    TrainingRun.Listener listener =
        new TrainingRun.Listener() {
          @Override
          public void stepped(long step, long steps, double loss) {
            send(new TaskEvent.Step(step, steps, loss));
          }

          @Override
          public void evaluated(long step, Evaluation evaluation) {
            send(new TaskEvent.Evaluated(step, evaluation.loss(), evaluation.accuracy()));
          }

          @Override
          public void checkpointed(long step, Path file) {
            send(new TaskEvent.CheckpointWritten(step));
          }

          @Override
          public void warned(String message) {
            send(new TaskEvent.Log(message));
          }
        };
    TrainingRun.Result result =
        new TrainingRun(JobFile.read(folder.job()), folder.adapter(), true, listener)
            .withCheckpointAfter(CHECKPOINT_INTERVAL)
            .run();
    log(
        "trained %,d parameters in %,d steps; validation loss %.4f, accuracy %.4f; the adapter has"
            + " %,d bytes",
        result.parameters(),
        result.steps(),
        result.evaluation().loss(),
        result.evaluation().accuracy(),
        result.output().bytes());
  }

  private void export(Task.Export task)
      throws IOException, InterruptedException, ExportRefusedException {
    LoraExport.Builder export =
        LoraExport.of(AdapterFile.read(folder.adapter()), PeftFormat.STANDARD)
            .dtype(task.type() == null ? DType.F16 : task.type());
    if (task.model()) {
      export.base(folder.model());
    }
    LoraExport.Report report = export.build().write(folder.exported());
    report.warnings().forEach(warning -> send(new TaskEvent.Log(warning)));
    zip(folder.exported(), folder.archive());
    log(
        "exported %d modules of rank %d, %d stored whole, %,d bytes",
        report.modules(), report.rank(), report.saved(), report.bytes());
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

  private void verify(Task.Verify task) throws IOException {
    long memory = Math.max(1, task.memoryBytes() / TORCH_COPIES);
    try (Backends backends = Backends.openOne(task.backend(), line -> log("%s", line))) {
      Verifier verifier =
          new Verifier(
              backends, MachineDescription.here(task.worker()), new Budget(memory, MAX_ADDITIONS));
      if (!verifier.has(task.backend())) {
        send(new TaskEvent.Failed(Verifier.missing(task.backend()), true, false));
        return;
      }
      AdapterFile file = Verifier.read(Files.readAllBytes(folder.adapter()));
      Reconstruction result = verifier.reconstruct(file, task.backend(), task.nonce());
      Files.write(folder.reconstruction(), JsonMapper.shared().writeValueAsBytes(result));
    } catch (Verifier.UnsupportedException e) {
      send(new TaskEvent.Failed(String.valueOf(e.getMessage()), false, true));
    } catch (CudaException e) {
      send(new TaskEvent.Failed(String.valueOf(e.getMessage()), true, false));
    } catch (AdapterException e) {
      // Another machine may have more memory; the bytes are the same everywhere.
      boolean retryable = e instanceof LimitExceededException;
      send(new TaskEvent.Failed(String.valueOf(e.getMessage()), retryable, false));
    }
  }
}
