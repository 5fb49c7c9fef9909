package dev.nola.command;

import dev.nola.client.RefusedException;
import dev.nola.client.RegistryException;
import dev.nola.client.bundle.InvalidBundleException;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.lock.InvalidLockFileException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.oci.NotAnAdapterException;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterTooNewException;
import dev.nola.format.AdapterTooOldException;
import dev.nola.format.CorruptAdapterException;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.format.UnsupportedGeneratorException;
import dev.nola.gpu.CudaException;
import dev.nola.reconstruct.Budget;
import dev.nola.text.Label;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Turns exceptions into failures: those of the libraries here, and those that a program adds for
 * its own exceptions.
 */
public final class Failures {
  /** Knows the exceptions of format-spec, the sdk and files. */
  public static final Failures STANDARD = new Failures(_ -> null);

  /** The reasons of refusals that are about the path to write to, which the user can change. */
  private static final Set<Enum<?>> DESTINATIONS =
      Set.of(MergeRefusedException.Reason.DESTINATION, ExportRefusedException.Reason.DESTINATION);

  /** Causes of causes are looked at, and circles end. */
  private static final int MAX_CAUSES = 20;

  /** Java's heap beside what a limit counts. */
  private static final int HEAP_RESERVE_MB = 64;

  private final Function<Exception, @Nullable Failure> cases;

  private Failures(Function<Exception, @Nullable Failure> cases) {
    this.cases = cases;
  }

  /**
   * Adds the cases of a program.
   *
   * @param additional asked before the cases known so far; returns null for exceptions that it does
   *     not know
   * @return failures that know both
   */
  public Failures with(Function<Exception, @Nullable Failure> additional) {
    return new Failures(
        exception -> {
          Failure failure = additional.apply(exception);
          return failure == null ? cases.apply(exception) : failure;
        });
  }

  /**
   * Says how a command failed.
   *
   * @param exception what the command threw
   * @return its exit code, kind and reason; an internal error for an exception that nobody knows
   */
  public Failure of(Exception exception) {
    if (Thread.currentThread().isInterrupted() || exception instanceof InterruptedException) {
      return new Failure(ExitCode.INTERRUPTED, "interrupted", "interrupted");
    }
    if (causes(exception).anyMatch(OutOfMemoryError.class::isInstance)) {
      return ofOutOfMemory();
    }
    Failure failure = cases.apply(exception);
    return failure == null ? standard(exception) : failure;
  }

  /**
   * Says how a command failed that ran out of memory.
   *
   * @return its exit code, kind and reason
   */
  static Failure ofOutOfMemory() {
    return new Failure(
        ExitCode.REFUSED,
        "limit-exceeded",
        String.format(
            Locale.ROOT,
            "out of memory: the limit is %,d MB; %s",
            Runtime.getRuntime().maxMemory() >> 20,
            heapRemedy(2 * Runtime.getRuntime().maxMemory())));
  }

  private static Failure standard(Exception exception) {
    return switch (exception) {
      case AdapterException refused -> refused(refused, message(refused));
      case RefusedAdapterException refused -> refused(refused.reason(), message(refused));
      case RefusedException refused ->
          new Failure(
              DESTINATIONS.contains(refused.reason()) ? ExitCode.UNREADABLE : ExitCode.REFUSED,
              Label.of(refused.reason()),
              message(refused));
      case NotAnAdapterException refused -> refused("not-an-adapter", refused);
      case InvalidModelException invalid -> refused("invalid-model", invalid);
      case CudaException gpu -> new Failure(ExitCode.UNREADABLE, "gpu", message(gpu));
      case InvalidBundleException invalid -> refused("invalid-bundle", invalid);
      case InvalidLockFileException invalid -> refused("invalid-lock-file", invalid);
      case RegistryException refused ->
          new Failure(ExitCode.REGISTRY, Label.of(refused.kind()), message(refused));
      case FileAlreadyExistsException file ->
          new Failure(ExitCode.UNREADABLE, "destination", reason(file));
      case FileSystemException file -> new Failure(ExitCode.UNREADABLE, "unreadable", reason(file));
      case IOException file -> new Failure(ExitCode.UNREADABLE, "unreadable", message(file));
      case IllegalArgumentException illegal ->
          new Failure(ExitCode.USAGE, "usage", message(illegal));
      default -> new Failure(ExitCode.INTERNAL, "error", "internal error: " + exception);
    };
  }

  /**
   * Makes the failure of data that is refused.
   *
   * @param kind a word for programs
   * @param refusal its message becomes the reason
   * @return a failure with {@link ExitCode#REFUSED}
   */
  public static Failure refused(String kind, Exception refusal) {
    return new Failure(ExitCode.REFUSED, kind, message(refusal));
  }

  /**
   * Makes the failure of an adapter that is refused, with the option that raises the limit if it
   * exceeds one that can be raised.
   *
   * @param reason why the adapter is refused
   * @param message what is refused, and why
   * @return a failure with {@link ExitCode#REFUSED}
   */
  public static Failure refused(AdapterException reason, String message) {
    String remedy = reason instanceof LimitExceededException limit ? remedy(limit) : "";
    return new Failure(ExitCode.REFUSED, kind(reason), message + remedy);
  }

  private static String remedy(LimitExceededException exceeded) {
    return switch (exceeded.limit()) {
      case FORMAT -> "";
      case MEMORY ->
          // The budget is 3/4 of what Java states, which can be 8/9 of the heap (ParallelGC).
          "; " + heapRemedy(exceeded.required() / 2 * 3);
      case ADDITIONS ->
          "; allow more with NOLA_JAVA_OPTS=-D%s=%d"
              .formatted(Budget.ADDITIONS_PROPERTY, exceeded.required());
    };
  }

  private static String heapRemedy(long bytes) {
    return "give Java more with NOLA_JAVA_OPTS=-Xmx%dm".formatted((bytes >> 20) + HEAP_RESERVE_MB);
  }

  /**
   * Names the reason for which an adapter is refused.
   *
   * @param refused the refusal
   * @return the name in SPEC.md, section 11
   */
  public static String kind(AdapterException refused) {
    return switch (refused) {
      case CorruptAdapterException _ -> "corrupt";
      case AdapterTooNewException _ -> "too-new";
      case AdapterTooOldException _ -> "too-old";
      case UnsupportedGeneratorException _ -> "unsupported-generator";
      case LimitExceededException _ -> "limit-exceeded";
      case DigestMismatchException _ -> "digest-mismatch";
    };
  }

  private static String reason(FileSystemException failure) {
    String rule =
        switch (failure) {
          case NoSuchFileException _ when failure.getReason() == null -> "no such file";
          case NotDirectoryException _ when failure.getReason() == null -> "is not a folder";
          case AccessDeniedException _ -> "permission denied";
          case FileAlreadyExistsException _ when failure.getReason() == null ->
              "already exists; remove it, or choose another file";
          default ->
              failure.getReason() == null ? "cannot be read or written" : failure.getReason();
        };
    return failure.getFile() == null ? rule : destination(failure.getFile()) + ": " + rule;
  }

  /** Names the file that the user asked for instead of the one that was to be renamed to it. */
  private static String destination(String file) {
    return file.replaceAll("\\.([^/]+)\\.(partial-)?[0-9a-f-]{36}(\\.part)?", "$1");
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MAX_CAUSES);
  }

  private static String message(Exception failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }
}
