package dev.nola.gpu;

import dev.nola.gpu.CudaException.Reason;
import java.util.Set;

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

  /** The errors after which the process cannot use the GPU any more, and what was on it is lost. */
  private static final Set<Integer> LOSING_CONTEXT =
      Set.of(
          214, // ECC_UNCORRECTABLE
          220, // NVLINK_UNCORRECTABLE
          226, // CONTAINED
          700, // ILLEGAL_ADDRESS
          702, // LAUNCH_TIMEOUT
          709, // CONTEXT_IS_DESTROYED
          710, // ASSERT
          714, // HARDWARE_STACK_ERROR
          715, // ILLEGAL_INSTRUCTION
          716, // MISALIGNED_ADDRESS
          717, // INVALID_ADDRESS_SPACE
          718, // INVALID_PC
          719, // LAUNCH_FAILED
          721, // TENSOR_MEMORY_LEAK
          810, // MPS_CLIENT_TERMINATED
          999); // UNKNOWN

  private static final int SYSTEM_DRIVER_MISMATCH = 803;

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
      case STUB_LIBRARY ->
          new CudaException(
              Reason.OTHER,
              "NVIDIA driver is a stub: "
                  + text
                  + "; remove CUDA's stubs from LD_LIBRARY_PATH, or use the CPU");
      case NO_DEVICE, INVALID_DEVICE ->
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
          LOSING_CONTEXT.contains(error)
              ? new CudaException(
                  Reason.CONTEXT_LOST,
                  "GPU failed, and everything on it is lost: "
                      + text
                      + "; restart the program to use it again")
              : new CudaException(Reason.OTHER, "GPU cannot be used: " + text + "; use the CPU");
    };
  }
}
