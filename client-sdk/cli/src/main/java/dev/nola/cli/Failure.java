package dev.nola.cli;

import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.peft.ExportRefusedException;
import dev.nola.client.registry.RegistryException;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterTooNewException;
import dev.nola.format.AdapterTooOldException;
import dev.nola.format.CorruptAdapterException;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.format.UnsupportedGeneratorException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import picocli.CommandLine;

/**
 * How a command failed.
 *
 * @param exitCode of the process
 * @param kind a word for programs
 * @param reason a sentence for people, with the value and the remedy
 */
record Failure(int exitCode, String kind, String reason) {
  /** An adapter or a model is refused, or bits differ. */
  static final int REFUSED = 1;

  /** A file cannot be read or written. */
  static final int UNREADABLE = 3;

  /** The registry says no, or nothing. */
  static final int REGISTRY = 4;

  /** A defect of nola. */
  static final int INTERNAL = 70;

  /** SIGINT, as shells report it. */
  static final int INTERRUPTED = 130;

  private static final Failure INTERRUPTION =
      new Failure(INTERRUPTED, "interrupted", "interrupted");

  static Failure of(Exception failure) {
    return switch (failure) {
      case Exception _ when Thread.currentThread().isInterrupted() -> INTERRUPTION;
      case InterruptedException _ -> INTERRUPTION;
      case HintedException hinted -> of(hinted.failure()).with(hinted.hint());
      case RefusedAdapterException refused ->
          new Failure(REFUSED, kind(refused.reason()), refused.getMessage());
      case NotAttestedException refused ->
          new Failure(REFUSED, "not-attested", refused.getMessage());
      case AdapterException refused -> new Failure(REFUSED, kind(refused), refused.getMessage());
      case MergeRefusedException refused ->
          new Failure(
              refused.reason() == MergeRefusedException.Reason.DESTINATION ? UNREADABLE : REFUSED,
              kind(refused.reason()),
              refused.getMessage());
      case ExportRefusedException refused ->
          new Failure(
              refused.reason() == ExportRefusedException.Reason.DESTINATION ? UNREADABLE : REFUSED,
              kind(refused.reason()),
              refused.getMessage());
      case InvalidModelException invalid ->
          new Failure(REFUSED, "invalid-model", invalid.getMessage());
      case RegistryException refused ->
          new Failure(REGISTRY, kind(refused.kind()), refused.getMessage());
      case FileSystemException io -> new Failure(UNREADABLE, "unreadable", reason(io));
      case IOException io -> new Failure(UNREADABLE, "unreadable", reason(io));
      case IllegalArgumentException illegal ->
          new Failure(CommandLine.ExitCode.USAGE, "usage", illegal.getMessage());
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
    return failure.getFile() == null ? rule : destination(failure.getFile()) + ": " + rule;
  }

  /** What the user asked for, of a file that was to be renamed to it. */
  private static String destination(String file) {
    return file.replaceAll("\\.([^/]+)\\.(partial-)?[0-9a-f-]{36}(\\.part)?", "$1");
  }

  private Failure with(String hint) {
    return new Failure(exitCode, kind, reason + hint);
  }

  private static String reason(IOException failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  /** As SPEC.md section 11 calls them. */
  private static String kind(AdapterException refused) {
    return switch (refused) {
      case CorruptAdapterException _ -> "corrupt";
      case AdapterTooNewException _ -> "too-new";
      case AdapterTooOldException _ -> "too-old";
      case UnsupportedGeneratorException _ -> "unsupported-generator";
      case LimitExceededException _ -> "limit-exceeded";
      case DigestMismatchException _ -> "digest-mismatch";
    };
  }

  private static String kind(Enum<?> reason) {
    return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
