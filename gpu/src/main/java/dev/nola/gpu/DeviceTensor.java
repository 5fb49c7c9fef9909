package dev.nola.gpu;

import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** A tensor of a base model in a GPU's memory: its own, or memory that another library manages. */
public final class DeviceTensor implements AutoCloseable {
  private final CudaDevice device;
  private final DType dtype;
  private final long elements;
  private final long address;
  private final Runnable release;

  private DeviceTensor(
      CudaDevice device, DType dtype, long elements, long address, Runnable release) {
    this.device = device;
    this.dtype = dtype;
    this.elements = elements;
    this.address = address;
    this.release = release;
  }

  /**
   * Allocates a tensor.
   *
   * @param device the GPU
   * @param dtype type of an element
   * @param elements number of elements, at least 1
   * @return the tensor, not cleared
   * @throws IllegalArgumentException if {@code elements} is less than 1
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static DeviceTensor allocate(CudaDevice device, DType dtype, long elements) {
    requireElements(elements);
    DeviceMemory memory = new DeviceMemory(device, Math.multiplyExact(elements, dtype.bytes()));
    return new DeviceTensor(device, dtype, elements, memory.address(), memory::close);
  }

  /**
   * Wraps a tensor that another library manages in the same context, such as one of PyTorch.
   * Closing it does nothing.
   *
   * @param device the GPU
   * @param dtype type of an element
   * @param elements number of elements, at least 1
   * @param address its address on the device; elements are contiguous
   * @return the tensor
   * @throws IllegalArgumentException if {@code elements} is less than 1
   */
  public static DeviceTensor wrap(CudaDevice device, DType dtype, long elements, long address) {
    requireElements(elements);
    return new DeviceTensor(device, dtype, elements, address, () -> {});
  }

  private static void requireElements(long elements) {
    if (elements < 1) {
      throw new IllegalArgumentException(
          "invalid number of elements: " + elements + "; must be at least 1");
    }
  }

  /**
   * Returns the type of an element.
   *
   * @return f32, f16 or bf16
   */
  public DType dtype() {
    return dtype;
  }

  /**
   * Returns the number of elements.
   *
   * @return at least 1
   */
  public long elements() {
    return elements;
  }

  /**
   * Returns where the tensor is.
   *
   * @return its address on the device
   */
  public long address() {
    return address;
  }

  /**
   * Fills the tensor from the host.
   *
   * @param host its elements, little-endian, in native memory
   * @throws IllegalArgumentException if their size is not the tensor's
   */
  public void copyFrom(MemorySegment host) {
    requireBytes(host.byteSize());
    device.use().copyToDevice(address, host);
  }

  /**
   * Copies the tensor to the host, once everything that was launched has ended.
   *
   * @param host receives its elements, little-endian; native memory
   * @throws IllegalArgumentException if their size is not the tensor's
   */
  public void copyTo(MemorySegment host) {
    requireBytes(host.byteSize());
    device.use().copyToHost(host, address);
  }

  /**
   * Fills a part of the tensor from the host.
   *
   * @param host elements, little-endian, in native memory
   * @param element index of the first of them in the tensor
   * @throws IndexOutOfBoundsException if the part exceeds the tensor
   */
  public void copyFrom(MemorySegment host, long element) {
    device.use().copyToDevice(partAddress(host, element), host);
  }

  /**
   * Copies a part of the tensor to the host, once everything that was launched has ended.
   *
   * @param host receives elements, little-endian; native memory
   * @param element index of the first of them in the tensor
   * @throws IndexOutOfBoundsException if the part exceeds the tensor
   */
  public void copyTo(MemorySegment host, long element) {
    device.use().copyToHost(host, partAddress(host, element));
  }

  private long partAddress(MemorySegment host, long element) {
    long bytes = elements * dtype.bytes();
    long offset = element * dtype.bytes();
    Objects.checkFromIndexSize(offset, host.byteSize(), bytes);
    return address + offset;
  }

  private void requireBytes(long bytes) {
    if (bytes != elements * dtype.bytes()) {
      throw new IllegalArgumentException(
          "wrong size of tensor: %d bytes; must be %d".formatted(bytes, elements * dtype.bytes()));
    }
  }

  @Override
  public void close() {
    release.run();
  }
}
