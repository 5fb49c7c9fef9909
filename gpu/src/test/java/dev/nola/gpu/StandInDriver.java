package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A driver that runs the CUDA kernels on the CPU, compiled by g++ (src/test/cpp). */
@SuppressWarnings("restricted") // calls native code, which is the purpose
final class StandInDriver {
  private static final Path SOURCE = Path.of("src/test/cpp/driver.cpp");

  /** Where the driver is, once it is compiled. */
  static final Path LIBRARY = Path.of("target/stand-in/libcuda.so.1").toAbsolutePath();

  private static final List<String> HELD =
      List.of("allocations", "host memory", "events", "modules", "contexts");

  private static @Nullable StandInDriver compiled;

  private final MethodHandle set;
  private final MethodHandle held;
  private final MethodHandle launches;

  private StandInDriver(SymbolLookup library) {
    this.set =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("standin_set"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
    this.held =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("standin_held"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
    this.launches =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("standin_launches"), FunctionDescriptor.of(JAVA_LONG, ADDRESS));
  }

  /**
   * Compiles the driver, once a process.
   *
   * @return the driver, or empty without g++, which is printed
   */
  static synchronized Optional<StandInDriver> compile() throws IOException, InterruptedException {
    if (compiled != null) {
      return Optional.of(compiled);
    }
    Files.createDirectories(LIBRARY.getParent());
    List<String> command =
        List.of(
            "g++",
            "-std=c++17",
            "-O2",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            "-w",
            "-o",
            LIBRARY.toString(),
            SOURCE.toString());
    Process compiler;
    try {
      compiler = new ProcessBuilder(command).inheritIO().start();
    } catch (IOException _) {
      System.out.println("SKIPPED: the CUDA kernels were not run on the CPU: g++ not found");
      return Optional.empty();
    }
    if (compiler.waitFor() != 0) {
      throw new UncheckedIOException(new IOException("g++ failed: " + command));
    }
    compiled = new StandInDriver(SymbolLookup.libraryLookup(LIBRARY, Arena.global()));
    return Optional.of(compiled);
  }

  /** Opens its device. */
  CudaDevice open() {
    return CudaDevice.open(Driver.load(LIBRARY.toString()), 0);
  }

  /** Sets what the next calls do; src/test/cpp/driver.cpp lists the names. */
  void set(String name, long value) {
    try (Arena arena = Arena.ofConfined()) {
      if ((int) set.invokeExact(arena.allocateFrom(name), value) != 0) {
        throw new IllegalArgumentException("unknown setting: " + name);
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Returns how often a kernel was launched in this process. */
  long launches(String kernel) {
    try (Arena arena = Arena.ofConfined()) {
      return (long) launches.invokeExact(arena.allocateFrom(kernel));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Requires that nothing is held: memory of the device and the host, events, modules, contexts.
   */
  void requireNothingHeld() {
    for (String kind : HELD) {
      assertThat(held(kind)).as(kind).isZero();
    }
  }

  /** Returns the number of allocations on the device that were not freed. */
  int allocations() {
    return held("allocations");
  }

  private int held(String kind) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) held.invokeExact(arena.allocateFrom(kind));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
