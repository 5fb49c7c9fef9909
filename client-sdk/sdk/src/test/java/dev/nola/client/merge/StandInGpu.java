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
import java.util.List;
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

  /** Lets a call of the driver fail, after a number of calls that succeed; -1 for none. */
  public static void setFailAfter(long calls) {
    set("failAfter", calls);
  }

  /** Returns the number of allocations, modules and contexts that were not released. */
  @SuppressWarnings("restricted") // calls native code, which is the purpose
  public static int held() {
    MethodHandle held =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(DRIVER, Arena.global()).findOrThrow("standin_held"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      int all = 0;
      for (String kind : List.of("allocations", "modules", "contexts")) {
        all += (int) held.invokeExact(arena.allocateFrom(kind));
      }
      return all;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
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
