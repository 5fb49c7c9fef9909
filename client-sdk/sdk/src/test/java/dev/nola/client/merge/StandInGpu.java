package dev.nola.client.merge;

import dev.nola.gpu.CudaDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A GPU whose kernels run on the CPU: the driver that the tests of module gpu compile. */
public final class StandInGpu {
  private static final Path DRIVER =
      Path.of("../../gpu/target/stand-in/libcuda.so.1").toAbsolutePath().normalize();

  private StandInGpu() {}

  /** Opens it; empty if the driver was not compiled, which is printed. */
  public static Optional<CudaDevice> open() {
    if (!Files.exists(DRIVER)) {
      System.out.println("SKIPPED: merging on a GPU: run the tests of module gpu first, with g++");
      return Optional.empty();
    }
    System.setProperty("nola.cuda.library", DRIVER.toString());
    return Optional.of(CudaDevice.open());
  }

  /** Lets launches of kernels fail with an error of the driver; 0 for none. */
  public static void setLaunchError(long error) {
    set("launchError", error);
  }

  /** Sets the size of its memory, in bytes. */
  public static void setMemory(long bytes) {
    set("memory", bytes);
  }

  @SuppressWarnings("restricted") // calls native code, which is the purpose
  private static void set(String name, long value) {
    MethodHandle set =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(DRIVER, Arena.global()).findOrThrow("standin_set"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    try (Arena arena = Arena.ofConfined()) {
      if ((int) set.invokeExact(arena.allocateFrom(name), value) != 0) {
        throw new IllegalStateException("unknown setting: " + name);
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
