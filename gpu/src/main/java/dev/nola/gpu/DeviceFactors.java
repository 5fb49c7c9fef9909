package dev.nola.gpu;

import dev.nola.format.DType;
import dev.nola.generator.Side;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Room for the factors of adapters in a GPU's memory. Each factor is a row-major matrix that begins
 * at a multiple of 128 bytes: in PEFT's names side A is {@code lora_B}, R×r, and side B {@code
 * lora_A}, r×C. Their product is ΔW; elements alone are those of the format times the multipliers
 * of {@link #type}.
 */
public final class DeviceFactors implements AutoCloseable {
  private final FactorPlan plan;
  private final ElementType type;
  private final DeviceMemory memory;
  private final int count;

  DeviceFactors(FactorPlan plan, ElementType type, DeviceMemory memory, int count) {
    this.plan = plan;
    this.type = type;
    this.memory = memory;
    this.count = count;
  }

  /**
   * Returns the type of an element.
   *
   * @return f32, f16 or bf16
   */
  public DType dtype() {
    return type.dtype();
  }

  /**
   * Returns how the factors are stored.
   *
   * @return type and multipliers
   */
  public ElementType type() {
    return type;
  }

  /**
   * Returns the number of adapters that there is room for.
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
    return memory.bytes();
  }

  /**
   * Returns where a factor is.
   *
   * @param adapter index of the adapter in this room, from 0
   * @param layer index of its layer, in file order
   * @param side the factor
   * @return its address on the device
   * @throws IndexOutOfBoundsException if {@code adapter} or {@code layer} is out of range
   */
  public long address(int adapter, int layer, Side side) {
    return memory.address() + offset(adapter, layer, side);
  }

  /**
   * Returns the number of elements of a factor.
   *
   * @param layer index of its layer, in file order
   * @param side the factor
   * @return elements; 0 for side B of the direct form
   * @throws IndexOutOfBoundsException if {@code layer} is out of range
   */
  public int length(int layer, Side side) {
    return plan.place(layer, side).length();
  }

  private long offset(int adapter, int layer, Side side) {
    Objects.checkIndex(adapter, count);
    return (adapter * plan.elements() + plan.place(layer, side).start()) * type.dtype().bytes();
  }

  /**
   * Copies a factor to the host, once everything that was launched has ended.
   *
   * @param adapter index of the adapter in this room, from 0
   * @param layer index of its layer, in file order
   * @param side the factor
   * @return its elements' bytes, little-endian
   * @throws IndexOutOfBoundsException if {@code adapter} or {@code layer} is out of range
   */
  public byte[] copy(int adapter, int layer, Side side) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host =
          arena.allocate((long) length(layer, side) * type.dtype().bytes(), Long.BYTES);
      memory.copyTo(host, offset(adapter, layer, side));
      return host.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Copies a factor to the host, once everything that was launched has ended.
   *
   * @param adapter index of the adapter in this room, from 0
   * @param layer index of its layer, in file order
   * @param side the factor
   * @return its elements
   * @throws IllegalArgumentException if the factors are not f32
   * @throws IndexOutOfBoundsException if {@code adapter} or {@code layer} is out of range
   */
  public float[] copyFloats(int adapter, int layer, Side side) {
    if (type.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          "wrong type of factors: %s; only f32 can be copied as floats".formatted(type.dtype()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host =
          arena.allocate(
              (long) length(layer, side) * Float.BYTES, ValueLayout.JAVA_FLOAT.byteSize());
      memory.copyTo(host, offset(adapter, layer, side));
      return host.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /**
   * Copies everything of an adapter to the host, padding between factors included.
   *
   * @param adapter index of the adapter in this room, from 0
   * @param arena owns the copy
   * @return its bytes; a factor is at its {@link #address} less that of the first one
   */
  public MemorySegment copy(int adapter, Arena arena) {
    Objects.checkIndex(adapter, count);
    long bytes = plan.elements() * type.dtype().bytes();
    MemorySegment host = arena.allocate(bytes, Long.BYTES);
    memory.copyTo(host, adapter * bytes);
    return host;
  }

  /**
   * Fills everything with bytes from the host, such as a LoRA that is stored whole.
   *
   * @param host {@link #bytes} bytes of native memory
   */
  public void copyFrom(MemorySegment host) {
    requireSize(host.byteSize());
    memory.device().use().copyToDevice(memory.address(), host);
  }

  /**
   * Copies everything from other factors on the device.
   *
   * @param other factors of as many bytes
   */
  public void copyFrom(DeviceFactors other) {
    requireSize(other.bytes());
    memory.device().use().copyOnDevice(memory.address(), other.memory.address(), other.bytes());
  }

  private void requireSize(long actual) {
    if (actual != memory.bytes()) {
      throw new IllegalArgumentException(
          "wrong size of factors: %d bytes; must be %d".formatted(actual, memory.bytes()));
    }
  }

  /** Returns the same memory for factors of the same type with other multipliers. */
  DeviceFactors withType(ElementType other) {
    if (other.dtype() != type.dtype()) {
      throw new IllegalArgumentException(
          "wrong type of factors: %s; must be %s, as allocated"
              .formatted(other.dtype(), type.dtype()));
    }
    return new DeviceFactors(plan, other, memory, count);
  }

  /**
   * Fills everything with a byte, so that it shows afterwards what was not written.
   *
   * @param value the byte
   */
  public void fill(byte value) {
    memory.device().use().fill(memory.address(), value, memory.bytes());
  }

  FactorPlan plan() {
    return plan;
  }

  DeviceMemory memory() {
    return memory;
  }

  @Override
  public void close() {
    memory.close();
  }
}
