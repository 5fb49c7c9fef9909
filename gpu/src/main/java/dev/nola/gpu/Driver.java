package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.nola.gpu.CudaException.Reason;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The functions of NVIDIA's driver that are needed here, found in its library at run time. Every
 * function returns normally or throws a {@link CudaException}.
 */
@SuppressWarnings("restricted") // calls native code, which is the purpose
final class Driver {
  /** The release of CUDA whose drivers can load the kernels: 11.0, drivers from 450 on. */
  static final int OLDEST_CUDA = 11_000;

  /** The system property that names the driver's library, if the system does not find it. */
  static final String LIBRARY_PROPERTY = "nola.cuda.library";

  /** What a user does to name the driver's library. */
  static final String NAME_LIBRARY =
      "set the system property %s to the driver's library (command line: NOLA_JAVA_OPTS=-D%s=PATH)"
          .formatted(LIBRARY_PROPERTY, LIBRARY_PROPERTY);

  /** Every function: its parameters, by a letter each; P pointer or handle, I int, L long. */
  private enum Function {
    INIT("cuInit", "I"),
    DRIVER_GET_VERSION("cuDriverGetVersion", "P"),
    DEVICE_GET_COUNT("cuDeviceGetCount", "P"),
    DEVICE_GET("cuDeviceGet", "PI"),
    DEVICE_GET_NAME("cuDeviceGetName", "PII"),
    DEVICE_GET_ATTRIBUTE("cuDeviceGetAttribute", "PII"),
    CONTEXT_RETAIN("cuDevicePrimaryCtxRetain", "PI"),
    CONTEXT_RELEASE("cuDevicePrimaryCtxRelease_v2", "I"),
    CONTEXT_SET_CURRENT("cuCtxSetCurrent", "P"),
    CONTEXT_SYNCHRONIZE("cuCtxSynchronize", ""),
    MODULE_LOAD_DATA("cuModuleLoadData", "PP"),
    MODULE_UNLOAD("cuModuleUnload", "P"),
    MODULE_GET_FUNCTION("cuModuleGetFunction", "PPP"),
    MEMORY_ALLOCATE("cuMemAlloc_v2", "PL"),
    MEMORY_FREE("cuMemFree_v2", "L"),
    MEMORY_GET_INFO("cuMemGetInfo_v2", "PP"),
    MEMORY_SET("cuMemsetD8_v2", "LIL"),
    HOST_ALLOCATE("cuMemHostAlloc", "PLI"),
    HOST_FREE("cuMemFreeHost", "P"),
    COPY_TO_DEVICE("cuMemcpyHtoD_v2", "LPL"),
    COPY_TO_HOST("cuMemcpyDtoH_v2", "PLL"),
    COPY_ON_DEVICE("cuMemcpyDtoD_v2", "LLL"),
    LAUNCH_KERNEL("cuLaunchKernel", "PIIIIIIIPPP"),
    EVENT_CREATE("cuEventCreate", "PI"),
    EVENT_RECORD("cuEventRecord", "PP"),
    EVENT_SYNCHRONIZE("cuEventSynchronize", "P"),
    EVENT_ELAPSED_TIME("cuEventElapsedTime", "PPP"),
    EVENT_DESTROY("cuEventDestroy_v2", "P"),
    GET_ERROR_STRING("cuGetErrorString", "IP");

    private final String symbol;
    private final String parameters;

    Function(String symbol, String parameters) {
      this.symbol = symbol;
      this.parameters = parameters;
    }

    FunctionDescriptor descriptor() {
      MemoryLayout[] layouts = new MemoryLayout[parameters.length()];
      for (int i = 0; i < layouts.length; i++) {
        layouts[i] =
            switch (parameters.charAt(i)) {
              case 'P' -> ADDRESS;
              case 'I' -> JAVA_INT;
              default -> JAVA_LONG;
            };
      }
      return FunctionDescriptor.of(JAVA_INT, layouts);
    }
  }

  private final MethodHandle[] handles = new MethodHandle[Function.values().length];

  private Driver(SymbolLookup library, String name) {
    for (Function function : Function.values()) {
      MemorySegment symbol =
          library
              .find(function.symbol)
              .orElseThrow(
                  () ->
                      function == Function.INIT
                          ? new CudaException(
                              Reason.OTHER,
                              "not an NVIDIA driver: %s has no function %s; %s, or use the CPU"
                                  .formatted(name, function.symbol, NAME_LIBRARY))
                          : new CudaException(
                              Reason.DRIVER_TOO_OLD,
                              "NVIDIA driver too old: %s has no function %s; install driver 450 or later"
                                  .formatted(name, function.symbol)));
      MethodHandle handle = Linker.nativeLinker().downcallHandle(symbol, function.descriptor());
      handles[function.ordinal()] = handle.asSpreader(Object[].class, function.parameters.length());
    }
  }

  /**
   * Loads the driver and initializes it.
   *
   * @return the driver
   * @throws CudaException if it is not found, is too old or finds no GPU
   */
  static Driver load() {
    String chosen = System.getProperty(LIBRARY_PROPERTY);
    if (chosen != null && !chosen.isBlank()) {
      // A name may be of a driver that only some machines have; a path was chosen for this one.
      if (chosen.contains(File.separator) && !Files.exists(Path.of(chosen))) {
        throw new CudaException(
            Reason.OTHER,
            "%s not found: %s; must be the library of an NVIDIA driver"
                .formatted(LIBRARY_PROPERTY, chosen));
      }
      return load(chosen);
    }
    boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    return load(windows ? "nvcuda.dll" : "libcuda.so.1");
  }

  /** Loads a driver by the name of its library. */
  static Driver load(String name) {
    Driver driver = new Driver(DriverLibrary.open(name), name);
    driver.call(Function.INIT, 0);
    int version = driver.readInt(Function.DRIVER_GET_VERSION);
    if (version < OLDEST_CUDA) {
      throw new CudaException(
          Reason.DRIVER_TOO_OLD,
          "NVIDIA driver too old: it supports CUDA %s; must support %s, as drivers from 450 on do"
              .formatted(release(version), release(OLDEST_CUDA)));
    }
    return driver;
  }

  private static String release(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  private void call(Function function, Object... arguments) {
    int error = tryCall(function, arguments);
    if (error != 0) {
      throw DriverError.exception(error, description(error), function.symbol);
    }
  }

  private int tryCall(Function function, Object... arguments) {
    try {
      return (int) handles[function.ordinal()].invoke(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException("call of " + function.symbol + " failed: " + e, e);
    }
  }

  private String description(int error) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ADDRESS);
      return tryCall(Function.GET_ERROR_STRING, error, pointer) == 0
          ? pointer.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0)
          : "unknown error";
    }
  }

  private int readInt(Function function, Object... rest) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_INT);
      call(function, prepend(result, rest));
      return result.get(JAVA_INT, 0);
    }
  }

  private long readLong(Function function, Object... rest) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_LONG);
      call(function, prepend(result, rest));
      return result.get(JAVA_LONG, 0);
    }
  }

  private static Object[] prepend(Object first, Object[] rest) {
    Object[] all = new Object[rest.length + 1];
    all[0] = first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }

  /** Returns the newest CUDA release that the driver supports, such as 13.0. */
  String cudaRelease() {
    return release(readInt(Function.DRIVER_GET_VERSION));
  }

  /** Returns the number of GPUs. */
  int deviceCount() {
    return readInt(Function.DEVICE_GET_COUNT);
  }

  /** Returns the driver's number of a GPU. */
  int device(int ordinal) {
    return readInt(Function.DEVICE_GET, ordinal);
  }

  String deviceName(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(256);
      call(Function.DEVICE_GET_NAME, name, (int) name.byteSize(), device);
      return name.getString(0);
    }
  }

  int deviceAttribute(int device, int attribute) {
    return readInt(Function.DEVICE_GET_ATTRIBUTE, attribute, device);
  }

  /** Retains the context that all users of a GPU in this process share. */
  MemorySegment retainContext(int device) {
    return MemorySegment.ofAddress(readLong(Function.CONTEXT_RETAIN, device));
  }

  void releaseContext(int device) {
    call(Function.CONTEXT_RELEASE, device);
  }

  /** Makes a context the one that this thread's calls concern. */
  void useContext(MemorySegment context) {
    call(Function.CONTEXT_SET_CURRENT, context);
  }

  /** Waits until everything that was launched has ended. */
  void synchronize() {
    call(Function.CONTEXT_SYNCHRONIZE);
  }

  /** Loads PTX, which ends with a zero byte, or a cubin. */
  MemorySegment loadModule(MemorySegment image) {
    return MemorySegment.ofAddress(readLong(Function.MODULE_LOAD_DATA, image));
  }

  void unloadModule(MemorySegment module) {
    call(Function.MODULE_UNLOAD, module);
  }

  MemorySegment function(MemorySegment module, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return MemorySegment.ofAddress(
          readLong(Function.MODULE_GET_FUNCTION, module, arena.allocateFrom(name)));
    }
  }

  long allocate(long bytes) {
    return readLong(Function.MEMORY_ALLOCATE, bytes);
  }

  void free(long address) {
    call(Function.MEMORY_FREE, address);
  }

  /** Allocates memory of the host that the GPU reads and writes at full speed. */
  MemorySegment allocateHost(long bytes) {
    return MemorySegment.ofAddress(readLong(Function.HOST_ALLOCATE, bytes, 0));
  }

  void freeHost(MemorySegment memory) {
    call(Function.HOST_FREE, memory);
  }

  /** Returns the free memory of the current GPU, in bytes. */
  long freeMemory() {
    return memory(0);
  }

  /** Returns the memory of the current GPU, in bytes. */
  long totalMemory() {
    return memory(1);
  }

  private long memory(int index) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment both = arena.allocate(JAVA_LONG, 2);
      call(Function.MEMORY_GET_INFO, both, both.asSlice(Long.BYTES));
      return both.getAtIndex(JAVA_LONG, index);
    }
  }

  void fill(long address, byte value, long bytes) {
    call(Function.MEMORY_SET, address, (int) value, bytes);
  }

  void copyToDevice(long target, MemorySegment source) {
    call(Function.COPY_TO_DEVICE, target, source, source.byteSize());
  }

  void copyToHost(MemorySegment target, long source) {
    call(Function.COPY_TO_HOST, target, source, target.byteSize());
  }

  void copyOnDevice(long target, long source, long bytes) {
    call(Function.COPY_ON_DEVICE, target, source, bytes);
  }

  /**
   * Launches a kernel with one argument.
   *
   * @param function the kernel
   * @param gridX blocks
   * @param gridY blocks in the second dimension
   * @param threads threads per block
   * @param argument its argument, a structure
   */
  void launch(MemorySegment function, int gridX, int gridY, int threads, MemorySegment argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointers = arena.allocateFrom(ADDRESS, argument);
      call(
          Function.LAUNCH_KERNEL,
          function,
          gridX,
          gridY,
          1,
          threads,
          1,
          1,
          0,
          MemorySegment.NULL,
          pointers,
          MemorySegment.NULL);
    }
  }

  MemorySegment createEvent() {
    return MemorySegment.ofAddress(readLong(Function.EVENT_CREATE, 0));
  }

  void recordEvent(MemorySegment event) {
    call(Function.EVENT_RECORD, event, MemorySegment.NULL);
  }

  void waitForEvent(MemorySegment event) {
    call(Function.EVENT_SYNCHRONIZE, event);
  }

  /** Returns the time between two events, in nanoseconds. */
  long nanosBetween(MemorySegment start, MemorySegment end) {
    float milliseconds = Float.intBitsToFloat(readInt(Function.EVENT_ELAPSED_TIME, start, end));
    return Math.round(milliseconds * 1e6);
  }

  void destroyEvent(MemorySegment event) {
    call(Function.EVENT_DESTROY, event);
  }
}
