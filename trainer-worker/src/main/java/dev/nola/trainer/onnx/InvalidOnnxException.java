package dev.nola.trainer.onnx;

import java.io.IOException;
import java.nio.file.Path;

/** Thrown when a file is not an ONNX file of an encoder; the message names file and rule. */
public final class InvalidOnnxException extends IOException {
  InvalidOnnxException(Path file, String rule) {
    super(file + ": " + rule);
  }

  InvalidOnnxException(Path file, String rule, Throwable cause) {
    super(file + ": " + rule, cause);
  }
}
