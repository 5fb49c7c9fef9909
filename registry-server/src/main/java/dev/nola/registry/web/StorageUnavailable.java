package dev.nola.registry.web;

import java.io.IOException;

/**
 * Thrown if the store of files cannot be reached, or refuses the server: no fault of the request,
 * which may succeed later. Becomes a problem with status 503 that does not say more.
 */
public class StorageUnavailable extends IOException {
  /**
   * Creates a failure.
   *
   * @param message what failed, for the log
   * @param cause as the store's client reports it
   */
  protected StorageUnavailable(String message, Throwable cause) {
    super(message, cause);
  }
}
