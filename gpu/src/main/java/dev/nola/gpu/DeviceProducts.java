package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.nola.generator.Side;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Transposed products of all factors of an adapter in a GPU's memory: of each coefficient the
 * gradient of the loss, not normalised, f64.
 */
public final class DeviceProducts implements AutoCloseable {
  private final Projector projector;
  private final DeviceMemory memory;

  DeviceProducts(Projector projector, DeviceMemory memory) {
    this.projector = projector;
    this.memory = memory;
  }

  /**
   * Copies a factor's products to the host.
   *
   * @param layer index of its layer, in file order
   * @param side the factor
   * @return one per coefficient; none for side B of the direct form
   * @throws IndexOutOfBoundsException if {@code layer} is out of range
   */
  public double[] copy(int layer, Side side) {
    FactorPlan.Place place = projector.place(layer, side);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(JAVA_DOUBLE, place.length());
      memory.copyTo(host, place.start() * Double.BYTES);
      return host.toArray(JAVA_DOUBLE);
    }
  }

  /** Returns the place of a factor's products among all. */
  FactorPlan.Place place(int layer, Side side) {
    return projector.place(layer, side);
  }

  /** Returns the size of all products. */
  long bytes() {
    return memory.bytes();
  }

  /** Copies all products to native memory of the host, once what was launched has ended. */
  void copyTo(MemorySegment host) {
    memory.copyTo(host, 0);
  }

  DeviceMemory memory() {
    return memory;
  }

  Projector projector() {
    return projector;
  }

  @Override
  public void close() {
    memory.close();
  }
}
