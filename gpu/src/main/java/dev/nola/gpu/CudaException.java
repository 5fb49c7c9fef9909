package dev.nola.gpu;

/** Reports that a GPU cannot be used; the message is a sentence for the user. */
public final class CudaException extends RuntimeException {
  /** What went wrong. */
  public enum Reason {
    /** No NVIDIA driver was found. */
    NO_DRIVER,
    /** The driver is older than the kernels need. */
    DRIVER_TOO_OLD,
    /** The driver finds no GPU, or none with this number. */
    NO_DEVICE,
    /** The GPU is older than the kernels need. */
    DEVICE_TOO_OLD,
    /** The GPU's memory does not suffice; the device stays usable. */
    OUT_OF_MEMORY,
    /**
     * A kernel or the GPU's memory failed: everything on the device is lost, and this process
     * cannot use it again.
     */
    CONTEXT_LOST,
    /** The library is not a driver or cannot be loaded, or the driver reported another error. */
    OTHER;

    /**
     * Tells whether the machine merely has no NVIDIA GPU.
     *
     * @return true for {@link #NO_DRIVER} and {@link #NO_DEVICE}
     */
    public boolean isAbsence() {
      return this == NO_DRIVER || this == NO_DEVICE;
    }
  }

  private final Reason reason;

  CudaException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  CudaException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /**
   * Returns what went wrong.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }
}
