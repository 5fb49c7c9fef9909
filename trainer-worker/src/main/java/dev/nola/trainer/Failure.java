package dev.nola.trainer;

import dev.nola.client.registry.RegistryException;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.format.AdapterException;
import dev.nola.trainer.job.JobFileException;
import dev.nola.trainer.onnx.InvalidOnnxException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;

/**
 * How a command failed.
 *
 * @param exitCode of the process
 * @param kind a word for programs
 * @param reason a sentence for people, with the value and the remedy
 */
record Failure(int exitCode, String kind, String reason) {
  /** A model or other data is refused. */
  static final int REFUSED = 1;

  /** A file cannot be read or written. */
  static final int UNREADABLE = 3;

  /** The registry says no, or cannot be reached; as the other commands have it. */
  static final int REGISTRY = 4;

  /** SIGINT, as shells report it. */
  static final int INTERRUPTED = 130;

  /** A defect of nola. */
  static final int INTERNAL = 70;

  static Failure of(Exception failure) {
    return switch (failure) {
      case InterruptedException _ -> new Failure(INTERRUPTED, "interrupted", "interrupted");
      case JobFileException refused ->
          new Failure(CommandLine.ExitCode.USAGE, "invalid-job", reason(refused));
      case AdapterException refused -> new Failure(REFUSED, "adapter", reason(refused));
      case InvalidOnnxException refused -> new Failure(REFUSED, "invalid-onnx", reason(refused));
      case InvalidModelException refused -> new Failure(REFUSED, "invalid-model", reason(refused));
      case RegistryException refused -> new Failure(REGISTRY, "registry", reason(refused));
      case FileSystemException io -> new Failure(UNREADABLE, "unreadable", reason(io));
      case IOException io -> new Failure(UNREADABLE, "unreadable", reason(io));
      case IllegalArgumentException illegal ->
          new Failure(CommandLine.ExitCode.USAGE, "usage", String.valueOf(illegal.getMessage()));
      default -> new Failure(INTERNAL, "error", "internal error: " + failure);
    };
  }

  private static String reason(FileSystemException failure) {
    String rule =
        switch (failure) {
          case NoSuchFileException _ when failure.getReason() == null -> "no such file";
          case AccessDeniedException _ -> "permission denied";
          case FileAlreadyExistsException _ when failure.getReason() == null -> "exists already";
          default ->
              failure.getReason() == null ? "cannot be read or written" : failure.getReason();
        };
    return failure.getFile() == null ? rule : failure.getFile() + ": " + rule;
  }

  private static String reason(IOException failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
