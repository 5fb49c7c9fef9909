package dev.nola.trainer.djl;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What was found on a machine whose driver sees GPUs that PyTorch does not use.
 *
 * @param seen number of GPUs that the driver sees, at least 1
 * @param torch version of PyTorch, such as {@code 2.7.1+cu126}
 * @param builtForCuda whether PyTorch's libraries have those for CUDA
 * @param available whether PyTorch itself finds a GPU
 * @param driverCuda newest release of CUDA that the driver supports, such as {@code 12.0}; null
 *     where it is of no account
 * @param libraryPath what {@code LD_LIBRARY_PATH} is set to
 */
record GpuFindings(
    int seen,
    String torch,
    boolean builtForCuda,
    boolean available,
    @Nullable String driverCuda,
    String libraryPath) {
  /** Major and minor number of CUDA in a version of PyTorch; the minor one has one digit. */
  private static final Pattern CUDA = Pattern.compile("[+]cu(\\d+)\\d");

  /**
   * Says why PyTorch cannot compute on a GPU, and what to do about it.
   *
   * @return a clause
   */
  String obstacle() {
    String gpus = seen == 1 ? "a GPU" : seen + " GPUs";
    if (!builtForCuda) {
      return "the driver sees %s, but this PyTorch (%s) is for the CPU alone; set %s to the libraries of one with CUDA"
          .formatted(gpus, torch, NativeLibraries.LIBRARY_PATH);
    }
    if (available) {
      return "the driver sees %s, but DJL does not, which looks for %s in LD_LIBRARY_PATH (%s); link that name there to the libcudart of PyTorch"
          .formatted(gpus, System.mapLibraryName("cudart"), libraryPath);
    }
    // A driver runs every release of CUDA with the same major number.
    Matcher needed = CUDA.matcher(torch);
    if (driverCuda != null && needed.find() && major(driverCuda) < major(needed.group(1))) {
      return "the driver sees %s, but is too old for PyTorch %s: it supports CUDA %s; install a driver for CUDA %s or later"
          .formatted(gpus, torch, driverCuda, needed.group(1));
    }
    return "the driver%s sees %s, but PyTorch %s cannot start CUDA on it; check it with nvidia-smi, and CUDA_VISIBLE_DEVICES"
        .formatted(driverCuda == null ? "" : " (CUDA " + driverCuda + ")", gpus, torch);
  }

  private static int major(String release) {
    return Integer.parseInt(release.replaceFirst("[.].*", ""));
  }
}
