package dev.nola.client.merge;

import dev.nola.gpu.CudaDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A GPU whose kernels run on the CPU: the driver that the tests of module gpu compile. */
final class StandInGpu {
  private static final Path DRIVER =
      Path.of("../../gpu/target/stand-in/libcuda.so.1").toAbsolutePath().normalize();

  private StandInGpu() {}

  /** Opens it; empty if the driver was not compiled, which is printed. */
  static Optional<CudaDevice> open() {
    if (!Files.exists(DRIVER)) {
      System.out.println("SKIPPED: merging on a GPU: run the tests of module gpu first, with g++");
      return Optional.empty();
    }
    System.setProperty("nola.cuda.library", DRIVER.toString());
    return Optional.of(CudaDevice.open());
  }
}
