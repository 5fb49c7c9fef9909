package dev.nola.trainer;

import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.BaseOptions;
import dev.nola.command.ExitCode;
import dev.nola.command.Failure;
import dev.nola.command.Failures;
import dev.nola.trainer.data.InvalidDataException;
import dev.nola.trainer.image.InvalidImageException;
import dev.nola.trainer.job.JobFileException;
import dev.nola.trainer.method.MismatchedAdapterException;
import dev.nola.trainer.model.UnsupportedModelException;
import dev.nola.trainer.onnx.InvalidOnnxException;
import org.jspecify.annotations.Nullable;

/** The failures of commands that train, import or run jobs. */
public final class TrainingFailures {
  /** The failures of all commands, and those of training. */
  public static final Failures ALL = Failures.STANDARD.with(TrainingFailures::failure);

  private TrainingFailures() {}

  private static @Nullable Failure failure(Exception exception) {
    return switch (exception) {
      case JobFileException invalid ->
          new Failure(ExitCode.USAGE, "invalid-job", String.valueOf(invalid.getMessage()));
      case MergeRefusedException refused
          when refused.reason() == MergeRefusedException.Reason.BASE ->
          Failures.STANDARD.of(refused).with(BaseOptions.REMEDY);
      case InvalidOnnxException invalid -> Failures.refused("invalid-onnx", invalid);
      case MismatchedAdapterException refused -> Failures.refused("mismatched-adapter", refused);
      case InvalidDataException invalid -> Failures.refused("invalid-data", invalid);
      case InvalidImageException invalid -> Failures.refused("invalid-data", invalid);
      case UnsupportedModelException unsupported ->
          Failures.refused("unsupported-model", unsupported);
      default -> null;
    };
  }
}
