package dev.nola.trainer.image;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** An image, or settings of images, that is damaged or not supported. */
public final class InvalidImageException extends IOException {
  InvalidImageException(String message) {
    this(message, null);
  }

  InvalidImageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
