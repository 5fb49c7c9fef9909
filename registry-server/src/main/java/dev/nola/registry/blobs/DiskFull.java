package dev.nola.registry.blobs;

import dev.nola.registry.web.Refusal;
import java.io.IOException;
import org.springframework.http.HttpStatus;

/** Recognizes that a file system has no space left. */
final class DiskFull {
  private DiskFull() {}

  /**
   * Returns the failure of a write, to be thrown.
   *
   * @param failure of the write
   * @return the failure itself, unless there is no space
   * @throws Refusal with status 507 if the disk is full
   */
  static IOException check(IOException failure) {
    String message = String.valueOf(failure.getMessage()); // the only thing that tells, in Java
    if (message.contains("No space left on device") || message.contains("Disk quota exceeded")) {
      throw Refusal.of(
          HttpStatus.INSUFFICIENT_STORAGE,
          "disk-full",
          "the registry has no disk space left; nothing was stored");
    }
    return failure;
  }
}
