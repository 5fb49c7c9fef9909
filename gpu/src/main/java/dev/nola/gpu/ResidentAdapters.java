package dev.nola.gpu;

import dev.nola.format.Adapter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Compressed adapters in a GPU's memory, as their files store them: about 30 KB for one of a model
 * of 7 billion parameters.
 */
public final class ResidentAdapters implements AutoCloseable {
  private final FactorPlan plan;
  private final DeviceMemory slots;
  private final int count;

  ResidentAdapters(FactorPlan plan, DeviceMemory slots, int count) {
    this.plan = plan;
    this.slots = slots;
    this.count = count;
  }

  /**
   * Returns the number of adapters.
   *
   * @return at least 1
   */
  public int count() {
    return count;
  }

  /**
   * Returns the memory that they take.
   *
   * @return bytes
   */
  public long bytes() {
    return slots.bytes();
  }

  /**
   * Replaces an adapter; launches before this see the old one.
   *
   * @param index its index, from 0
   * @param adapter an adapter that the plan accepts
   * @throws IllegalArgumentException if the plan does not accept it
   * @throws IndexOutOfBoundsException if {@code index} is out of range
   */
  public void replace(int index, Adapter adapter) {
    Objects.checkIndex(index, count);
    long slotBytes = plan.slotBytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment slot = arena.allocate(slotBytes, Long.BYTES);
      plan.writeSlot(adapter, slot.asByteBuffer());
      write(index, slot);
    }
  }

  /** Writes a slot as it is. */
  void write(int index, MemorySegment slot) {
    slots.device().use().copyToDevice(slots.address() + index * slot.byteSize(), slot);
  }

  FactorPlan plan() {
    return plan;
  }

  /** Returns the address of an adapter's slot. */
  long slot(int index, long slotBytes) {
    return slots.address() + index * slotBytes;
  }

  @Override
  public void close() {
    slots.close();
  }
}
