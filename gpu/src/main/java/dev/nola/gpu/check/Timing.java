package dev.nola.gpu.check;

import dev.nola.gpu.CudaDevice;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Times of one piece of work, repeated.
 *
 * @param median the middle one, in nanoseconds
 * @param p99 the one that 99 of 100 do not exceed
 */
record Timing(long median, long p99) {
  /** Repetitions before anything is measured. */
  private static final int WARM_UP = 5;

  /** Returns the median in microseconds. */
  double micros() {
    return median / 1e3;
  }

  /** Measures by the GPU's clock. */
  static Timing ofDevice(CudaDevice device, int repetitions, Runnable work) {
    return of(repetitions, () -> device.measure(work));
  }

  /** Measures from the call until everything that was launched has ended. */
  static Timing ofWall(CudaDevice device, int repetitions, Runnable work) {
    return of(
        repetitions,
        () -> {
          device.synchronize();
          long start = System.nanoTime();
          work.run();
          device.synchronize();
          return System.nanoTime() - start;
        });
  }

  private static Timing of(int repetitions, LongSupplier measurement) {
    for (int i = 0; i < Math.min(WARM_UP, repetitions); i++) {
      measurement.getAsLong();
    }
    long[] nanos = new long[repetitions];
    Arrays.setAll(nanos, _ -> measurement.getAsLong());
    Arrays.sort(nanos);
    return new Timing(nanos[repetitions / 2], nanos[(repetitions - 1) * 99 / 100]);
  }
}
