package dev.nola.trainer.model;

/** A device that a job asks for, and that this machine does not have, or cannot use. */
public final class UnavailableDeviceException extends IllegalArgumentException {
  /**
   * Creates a refusal.
   *
   * @param message names the device, and what is missing
   */
  public UnavailableDeviceException(String message) {
    super(message);
  }
}
