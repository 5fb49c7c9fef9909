package dev.nola.trainer;

import dev.nola.client.export.ExportRefusedException;
import dev.nola.command.ExitCode;
import dev.nola.command.Failure;
import dev.nola.gpu.CudaException;
import dev.nola.trainer.model.UnavailableDeviceException;
import dev.nola.trainer.worker.TaskRunner;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The process that a worker starts for a job; people have no use for it. */
@Command(name = "run-task", hidden = true, description = "Does a worker's task in its folder.")
final class RunTaskCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "The task's folder.")
  private Path folder = Path.of("");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    Thread.ofPlatform().daemon().name("worker").start(RunTaskCommand::endWithTheWorker);
    TaskRunner task = new TaskRunner(folder, spec.commandLine().getOut());
    try {
      task.run();
      return 0;
    } catch (ExportRefusedException e) {
      task.fail(String.valueOf(e.getMessage()), false);
      return ExitCode.REFUSED;
    } catch (Exception e) {
      Failure failure = TrainingFailures.ALL.of(e);
      if (failure.exitCode() == ExitCode.INTERNAL) {
        e.printStackTrace(spec.commandLine().getErr());
      }
      task.fail(failure.reason(), isRetryable(e));
      return failure.exitCode();
    }
  }

  /** Returns whether the machine or nola is at fault, not the job. */
  static boolean isRetryable(Exception failure) {
    return failure instanceof FileSystemException
        || failure instanceof CudaException
        || failure instanceof UnavailableDeviceException
        || TrainingFailures.ALL.of(failure).exitCode() >= ExitCode.INTERNAL;
  }

  /** Ends this process when the worker dies, because standard input then ends. */
  private static void endWithTheWorker() {
    try {
      while (System.in.read() >= 0) {
        // It sends nothing.
      }
    } catch (IOException e) {
      System.err.println("nola: lost the worker: " + e);
    }
    Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
  }
}
