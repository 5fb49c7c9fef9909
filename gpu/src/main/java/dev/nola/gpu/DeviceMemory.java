package dev.nola.gpu;

import dev.nola.gpu.CudaException.Reason;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/** Memory of a GPU. */
final class DeviceMemory implements AutoCloseable {
  private final CudaDevice device;
  private final long address;
  private final long bytes;
  private boolean closed;

  /**
   * Allocates memory, which is not cleared.
   *
   * @throws CudaException if the GPU's memory does not suffice; the message says how much is free
   */
  DeviceMemory(CudaDevice device, long bytes) {
    Driver driver = device.use();
    this.device = device;
    this.bytes = bytes;
    try {
      this.address = driver.allocate(Math.max(1, bytes));
    } catch (CudaException e) {
      if (e.reason() != Reason.OUT_OF_MEMORY) {
        throw e;
      }
      throw new CudaException(
          Reason.OUT_OF_MEMORY,
          String.format(
              Locale.ROOT,
              "too little GPU memory: %,d bytes needed, %,d of %,d free; free some, or use the CPU",
              bytes,
              driver.freeMemory(),
              driver.totalMemory()));
    }
  }

  /** Allocates memory and fills it. */
  static DeviceMemory of(CudaDevice device, MemorySegment content) {
    DeviceMemory memory = new DeviceMemory(device, content.byteSize());
    try {
      device.use().copyToDevice(memory.address, content);
    } catch (RuntimeException e) {
      Releases.after(e, memory::close);
      throw e;
    }
    return memory;
  }

  long address() {
    return address;
  }

  long bytes() {
    return bytes;
  }

  CudaDevice device() {
    return device;
  }

  /** Copies a part to native memory of the host. */
  void copyTo(MemorySegment target, long offset) {
    if (offset < 0 || target.byteSize() > bytes - offset) {
      throw new IndexOutOfBoundsException(
          "part outside GPU memory of %d bytes: %d from %d"
              .formatted(bytes, target.byteSize(), offset));
    }
    device.use().copyToHost(target, address + offset);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      CudaDevice.free(() -> device.use().free(address));
    }
  }
}
