package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.nola.gpu.CudaException.Reason;
import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Opens the driver's library, and finds out why that is not possible. */
@SuppressWarnings("restricted") // calls native code, which is the purpose
final class DriverLibrary {
  private static final int RTLD_NOW = 2;

  private DriverLibrary() {}

  /**
   * Opens a library.
   *
   * @param name its name, or its path
   * @return its symbols
   * @throws CudaException with the reason {@link Reason#NO_DRIVER} if there is none of this name,
   *     and {@link Reason#OTHER} if there is one that cannot be loaded
   */
  static SymbolLookup open(String name) {
    try {
      return SymbolLookup.libraryLookup(name, Arena.global());
    } catch (IllegalArgumentException e) {
      Optional<String> failure = failure(name);
      if (failure.isPresent()) {
        throw new CudaException(
            Reason.OTHER,
            "NVIDIA driver cannot be loaded: %s; reinstall the driver, or use the CPU"
                .formatted(failure.get()),
            e);
      }
      throw new CudaException(
          Reason.NO_DRIVER,
          "NVIDIA driver not found: no library %s; install the driver, %s, or use the CPU"
              .formatted(name, Driver.NAME_LIBRARY),
          e);
    }
  }

  /** Returns why a library that exists cannot be loaded; empty if it does not exist. */
  private static Optional<String> failure(String name) {
    boolean isPath = name.contains(File.separator);
    if (isPath && !Files.exists(Path.of(name))) {
      return Optional.empty();
    }
    Optional<String> error = loaderError(name);
    if (isPath) {
      return Optional.of(error.orElse(name));
    }
    // The loader names the file that it found by its path. If the file's own libraries are missing,
    // it names them alone.
    return error.filter(text -> text.contains("/" + name) || !text.contains(name));
  }

  /** Returns what Linux's loader says of a library that it cannot load. */
  private static Optional<String> loaderError(String name) {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.empty();
    }
    // Both are looked up first: a lookup clears the loader's error.
    MethodHandle open = handle("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    MethodHandle error = handle("dlerror", FunctionDescriptor.of(ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment library = (MemorySegment) open.invokeExact(arena.allocateFrom(name), RTLD_NOW);
      if (library.address() != 0) {
        return Optional.empty(); // it was installed in the meantime
      }
      MemorySegment text = (MemorySegment) error.invokeExact();
      return text.address() == 0
          ? Optional.empty()
          : Optional.of(text.reinterpret(Long.MAX_VALUE).getString(0));
    } catch (Throwable e) {
      throw new IllegalStateException("call of dlopen failed: " + e, e);
    }
  }

  private static MethodHandle handle(String function, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), descriptor);
  }
}
