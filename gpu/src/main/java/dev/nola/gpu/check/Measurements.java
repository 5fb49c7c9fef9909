package dev.nola.gpu.check;

import dev.nola.format.LimitExceededException;
import dev.nola.gpu.CudaException;

/** Runs measurements one after the other, also if the GPU is too small for some. */
final class Measurements {
  private int skipped;

  /** One measurement, which prints its result. */
  @FunctionalInterface
  interface Measurement {
    /** Measures and prints. */
    void run() throws LimitExceededException;
  }

  /**
   * Runs a measurement. If the GPU's memory does not suffice for it, prints that it was skipped, so
   * that those after it are still made.
   *
   * @param subject what is measured
   * @param measurement the measurement
   * @throws LimitExceededException never: nothing limits the CPU
   * @throws CudaException if the GPU fails
   */
  void run(String subject, Measurement measurement) throws LimitExceededException {
    try {
      measurement.run();
    } catch (CudaException e) {
      if (e.reason() != CudaException.Reason.OUT_OF_MEMORY) {
        throw e;
      }
      skipped++;
      System.out.println("skipped: " + subject + ": " + e.getMessage());
    }
  }

  /** Returns how many were skipped. */
  int skipped() {
    return skipped;
  }
}
