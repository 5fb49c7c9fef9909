package dev.nola.gpu;

import dev.nola.gpu.CudaException.Reason;

/** The driver's numbers of errors, and what each means to a user. */
final class DriverError {
  private static final int OUT_OF_MEMORY = 2;
  private static final int STUB_LIBRARY = 34;
  private static final int NO_DEVICE = 100;
  private static final int INVALID_DEVICE = 101;
  private static final int INVALID_IMAGE = 200;
  private static final int NO_BINARY_FOR_GPU = 209;
  private static final int INVALID_PTX = 218;
  private static final int UNSUPPORTED_PTX_VERSION = 222;

  /** The first error after which the process cannot use the GPU any more. */
  private static final int ILLEGAL_ADDRESS = 700;

  /** A block needs more registers than there are; nothing was launched. */
  private static final int LAUNCH_OUT_OF_RESOURCES = 701;

  private static final int LAUNCH_FAILED = 719;
  private static final int SYSTEM_DRIVER_MISMATCH = 803;
  private static final int UNKNOWN = 999;

  private DriverError() {}

  /**
   * Returns the exception of an error.
   *
   * @param error the driver's number
   * @param description the driver's text of it
   * @param function name of the function that returned it
   * @return the exception, whose message states the remedy
   */
  static CudaException exception(int error, String description, String function) {
    String text = "%s (error %d of %s)".formatted(description, error, function);
    return switch (error) {
      case OUT_OF_MEMORY ->
          new CudaException(
              Reason.OUT_OF_MEMORY,
              "too little GPU memory: " + text + "; free some, or use the CPU");
      case STUB_LIBRARY, NO_DEVICE, INVALID_DEVICE ->
          new CudaException(
              Reason.NO_DEVICE,
              "no NVIDIA GPU found: " + text + "; check that nvidia-smi lists one, or use the CPU");
      case INVALID_IMAGE, NO_BINARY_FOR_GPU, INVALID_PTX, UNSUPPORTED_PTX_VERSION ->
          new CudaException(
              Reason.DRIVER_TOO_OLD,
              "NVIDIA driver cannot load the kernels: " + text + "; install a newer driver");
      case SYSTEM_DRIVER_MISMATCH ->
          new CudaException(
              Reason.OTHER,
              "parts of the NVIDIA driver have different versions: "
                  + text
                  + "; restart the machine");
      default ->
          losesContext(error)
              ? new CudaException(
                  Reason.CONTEXT_LOST,
                  "GPU failed, and everything on it is lost: "
                      + text
                      + "; restart the program to use it again")
              : new CudaException(Reason.OTHER, "GPU cannot be used: " + text + "; use the CPU");
    };
  }

  private static boolean losesContext(int error) {
    return error >= ILLEGAL_ADDRESS && error <= LAUNCH_FAILED && error != LAUNCH_OUT_OF_RESOURCES
        || error == UNKNOWN;
  }
}
