package dev.nola.gpu;

import dev.nola.digest.Sha256;
import dev.nola.gpu.CudaException.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An NVIDIA GPU, opened by its driver alone. Safe for use by any number of threads; what they
 * launch runs one after the other.
 */
public final class CudaDevice implements AutoCloseable {
  private static final int MAJOR = 75;
  private static final int MINOR = 76;

  /** Where Linux describes the driver. */
  private static final Path DRIVER_DESCRIPTION = Path.of("/proc/driver/nvidia/version");

  private static final Pattern DRIVER_VERSION =
      Pattern.compile("Kernel Module.*?\\s(\\d+\\.\\d+[.\\d]*)\\s");

  private final Driver driver;
  private final int device;
  private final int architecture;
  private final MemorySegment context;
  private final MemorySegment module;
  private final String image;
  private final Map<String, MemorySegment> functions = new HashMap<>();
  private volatile boolean closed;

  /** Why the GPU failed, if that is known when it is closed: other threads may still use it. */
  private volatile @Nullable CudaException failure;

  private CudaDevice(Driver driver, int ordinal) {
    this.driver = driver;
    this.device = driver.device(ordinal);
    this.architecture =
        10 * driver.deviceAttribute(device, MAJOR) + driver.deviceAttribute(device, MINOR);
    if (architecture < KernelImage.OLDEST) {
      throw new CudaException(
          Reason.DEVICE_TOO_OLD,
          "GPU too old: %s has compute capability %s; must have %s or later"
              .formatted(
                  driver.deviceName(device),
                  capability(architecture),
                  capability(KernelImage.OLDEST)));
    }
    this.context = driver.retainContext(device);
    try {
      driver.useContext(context);
      Map.Entry<String, MemorySegment> loaded = load();
      this.image = loaded.getKey();
      this.module = loaded.getValue();
    } catch (RuntimeException e) {
      Releases.after(e, () -> driver.releaseContext(device));
      throw e;
    }
  }

  private Map.Entry<String, MemorySegment> load() {
    CudaException failure = null;
    for (String name : KernelImage.candidates(architecture)) {
      byte[] bytes = KernelImage.read(name);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(bytes.length + 1L, 16); // PTX ends with a zero byte
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, copy, 0, bytes.length);
        return Map.entry(name, driver.loadModule(copy));
      } catch (CudaException e) {
        if (e.reason() != Reason.DRIVER_TOO_OLD) {
          throw e;
        }
        failure = e; // a driver older than the compiler loads no machine code of it, but PTX
      }
    }
    throw Objects.requireNonNull(failure); // there is always PTX
  }

  /**
   * Returns the number of GPUs that can be opened.
   *
   * @return 0 if no driver is found
   * @throws CudaException if the driver is too old, or fails
   */
  public static int count() {
    try {
      return Driver.load().deviceCount();
    } catch (CudaException e) {
      if (e.reason().isAbsence()) {
        return 0;
      }
      throw e;
    }
  }

  /**
   * Opens the first GPU.
   *
   * @return the device
   * @throws CudaException if no driver or no GPU is found, or one of them is too old
   */
  public static CudaDevice open() {
    return open(0);
  }

  /**
   * Opens a GPU.
   *
   * @param ordinal its number, from 0, as {@code CUDA_VISIBLE_DEVICES} leaves them
   * @return the device
   * @throws CudaException if no driver or no GPU with this number is found, or one of them is too
   *     old
   */
  public static CudaDevice open(int ordinal) {
    return open(Driver.load(), ordinal);
  }

  /** Opens a GPU of a driver. */
  static CudaDevice open(Driver driver, int ordinal) {
    int count = driver.deviceCount();
    if (ordinal < 0 || ordinal >= count) {
      throw new CudaException(
          Reason.NO_DEVICE,
          "GPU not found: number %d; there are %d, counted from 0".formatted(ordinal, count));
    }
    return new CudaDevice(driver, ordinal);
  }

  private static String capability(int architecture) {
    return architecture / 10 + "." + architecture % 10;
  }

  /**
   * Returns the name of the GPU.
   *
   * @return such as {@code NVIDIA H100 80GB HBM3}
   */
  public String name() {
    return driver.deviceName(device);
  }

  /**
   * Returns the compute capability.
   *
   * @return such as {@code 9.0}
   */
  public String computeCapability() {
    return capability(architecture);
  }

  /**
   * Returns the newest release of CUDA that the driver supports.
   *
   * @return such as {@code 13.0}
   */
  public String cudaRelease() {
    return driver.cudaRelease();
  }

  /**
   * Returns the version of the driver.
   *
   * @return such as {@code 580.65.06, CUDA 13.0}; the release of CUDA alone where the system does
   *     not tell more
   * @throws UncheckedIOException if the system's description of the driver cannot be read
   */
  public String driverVersion() {
    String cuda = "CUDA " + cudaRelease();
    if (!Files.isReadable(DRIVER_DESCRIPTION)) {
      return cuda;
    }
    try {
      Matcher version = DRIVER_VERSION.matcher(Files.readString(DRIVER_DESCRIPTION));
      return version.find() ? version.group(1) + ", " + cuda : cuda;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Returns the image of the kernels that was loaded.
   *
   * @return such as {@code nola_sm_90.cubin}
   */
  public String image() {
    return image;
  }

  /**
   * Returns the digest of the kernels' PTX, which identifies them in attestations.
   *
   * @return the digest
   */
  public static Sha256 kernelDigest() {
    return KernelImage.digest();
  }

  /**
   * Returns the memory that is free on the GPU.
   *
   * @return bytes
   */
  public long freeMemory() {
    use();
    return driver.freeMemory();
  }

  /**
   * Returns the memory of the GPU.
   *
   * @return bytes
   */
  public long totalMemory() {
    use();
    return driver.totalMemory();
  }

  /**
   * Waits until everything that was launched has ended.
   *
   * @throws CudaException if something that was launched failed
   */
  public void synchronize() {
    use();
    driver.synchronize();
  }

  /**
   * Measures work by the GPU's own clock, from the start of the first launch to the end of the last
   * one.
   *
   * @param work launches something
   * @return nanoseconds
   */
  public long measure(Runnable work) {
    use();
    try (Event start = new Event(driver);
        Event end = new Event(driver)) {
      driver.recordEvent(start.handle);
      work.run();
      driver.recordEvent(end.handle);
      driver.waitForEvent(end.handle);
      return driver.nanosBetween(start.handle, end.handle);
    }
  }

  /** A point in time of the GPU's clock. */
  private static final class Event implements AutoCloseable {
    private final Driver driver;
    private final MemorySegment handle;

    Event(Driver driver) {
      this.driver = driver;
      this.handle = driver.createEvent();
    }

    @Override
    public void close() {
      free(() -> driver.destroyEvent(handle));
    }
  }

  /**
   * Allocates memory of the host that the GPU reads and writes several times as fast as other
   * memory. Allocating it takes long.
   *
   * @param bytes its size, at least 1
   * @param arena owns it; to be closed before the device
   * @return the memory
   * @throws CudaException if it cannot be allocated
   */
  @SuppressWarnings("restricted") // the driver says where the memory is, the caller how long
  public MemorySegment allocateHost(long bytes, Arena arena) {
    MemorySegment memory = use().allocateHost(bytes);
    try {
      return memory.reinterpret(bytes, arena, allocated -> free(() -> use().freeHost(allocated)));
    } catch (RuntimeException e) { // the arena is closed
      Releases.after(e, () -> use().freeHost(memory));
      throw e;
    }
  }

  /** Makes the device the current one of this thread, and returns its driver. */
  Driver use() {
    if (closed) {
      CudaException known = failure;
      throw known != null
          ? new CudaException(known.reason(), known.getMessage())
          : new IllegalStateException("GPU was closed: " + name() + "; open it again");
    }
    driver.useContext(context);
    return driver;
  }

  /** Launches a kernel on everything that was launched before. */
  void launch(String function, int gridX, int gridY, int threads, MemorySegment argument) {
    use();
    MemorySegment handle;
    synchronized (functions) {
      handle = functions.computeIfAbsent(function, name -> driver.function(module, name));
    }
    driver.launch(handle, gridX, gridY, threads, argument);
  }

  /** Closes the device; plans and what they hold must be closed before. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    try {
      use().unloadModule(module);
    } catch (CudaException e) {
      if (e.reason() != Reason.CONTEXT_LOST) {
        closed = true;
        Releases.after(e, () -> driver.releaseContext(device));
        throw e;
      }
      failure = e;
    }
    closed = true;
    free(() -> driver.releaseContext(device));
  }

  /** Frees something; a GPU that failed has freed everything already. */
  static void free(Runnable release) {
    try {
      release.run();
    } catch (CudaException e) {
      if (e.reason() != Reason.CONTEXT_LOST) {
        throw e;
      }
    }
  }
}
